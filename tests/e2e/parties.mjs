// Relying parties made of libraries that nobody here wrote, one in each of three languages, behind a real Traefik.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { signIn } from "./harness/browser.mjs";
import { Parties, built } from "./harness/parties.mjs";
import { run } from "./harness/program.mjs";
import { suite } from "./harness/suite.mjs";
import { AUTH, PASSWORD } from "./harness/world.mjs";

const SECRET = "a secret with + 100 % of what a form escapes: é & =";
const SCOPE = "openid profile email groups";
const OFFLINE = `${SCOPE} offline_access`;

const authlib = { command: built("authlib", "bin", "python"), args: () => [new URL("./parties/authlib/party.py", import.meta.url).pathname] };

/** `asks` is what the app's `oidc` node says besides; a party that asks for no `offline_access` loses its tokens at sign-out. */
const PARTIES = [
  { name: "authlib", title: "Authlib", ...authlib, scope: OFFLINE, asks: () => "client-secret generated" },
  { name: "authlib-key", title: "Authlib with a key", ...authlib, scope: SCOPE, asks: (world) => `signing PS256\n        client-auth private-key-jwt\n        jwks #"${world.jwks}"#` },
  { name: "go", title: "x/oauth2 and go-oidc", command: built("go"), scope: SCOPE, public: true, device: true, asks: () => "signing ES256" },
  { name: "rust", title: "openidconnect", command: built("rust"), scope: OFFLINE, device: true, asks: (world) => `signing EdDSA\n        client-secret (file)"${world.secretFile}"` },
];

const app = (world, party) => `
app ${party.name} "${party.title}" {
    oidc ${party.public ? "public" : ""} {
        redirect-uri "https://${party.name}.example.com/callback"
        post-logout-redirect-uri "https://${party.name}.example.com/bye"
        scopes ${OFFLINE}
        refresh-token days=30
        ${party.device ? "grants authorization-code device-code" : ""}
        ${party.asks(world)}
    }
    access { allow group:users }
}
`;

/** A key of the party's own: the file that it signs with. */
async function makeKey(world) {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(
    { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" }, true, ["sign", "verify"]);
  const { kty, n, e } = await crypto.subtle.exportKey("jwk", publicKey);
  world.jwks = JSON.stringify({ keys: [{ kty, n, e, alg: "RS256" }] });
  world.keyFile = world.scratch.path("party.pem");
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", privateKey)).toString("base64");
  await writeFile(world.keyFile, `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{64}/g, "$&\n")}\n-----END PRIVATE KEY-----\n`);
}

const start = () => Parties.start("parties", {
  apps: (world) => {
    world.secretFile = world.scratch.path("secrets", "rust");
    return "";
  },
  before: async (world) => {
    await world.secret("rust", SECRET);
    await makeKey(world);
    await world.doorward.write("apps.kdl", PARTIES.map((party) => app(world, party)).join(""));
  },
}, async (parties) => {
  const proofs = {
    authlib: { CLIENT_SECRET: await parties.secretOf("authlib") },
    "authlib-key": { CLIENT_KEY: parties.world.keyFile },
    rust: { CLIENT_SECRET: SECRET },
  };
  await Promise.all(PARTIES.map(async (party) => {
    const host = `${party.name}.example.com`;
    const told = { ISSUER: AUTH, ORIGIN: `https://${host}`, CLIENT_ID: party.name, SCOPE: party.scope, ...proofs[party.name] };
    parties[party.name] = await parties.add(host, { ...party, env: (port) => ({ PORT: String(port), ...told }), ready: "/bye" });
  }));
});

/** What a party answers at one of its paths, asked without a browser. */
async function ask({ port }, path) {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`);
  return answer.json();
}

suite("parties", start, (test) => {
  for (const { name, title, scope, device } of PARTIES) {
    test(`${title} signs somebody in, asks, refreshes and signs out`, async (parties) => {
      const { world, [name]: party } = parties;
      await world.hasPassword("alice");
      const page = await world.person();
      const come = await signIn(page, "alice", PASSWORD, await page.goto(`${party.origin}/login`));
      assert.equal(new URL(come.url()).origin, party.origin);
      const { claims, error } = await come.json();
      assert.equal(error, undefined);
      assert.deepEqual([claims.iss, [claims.aud].flat(), claims.preferred_username], [AUTH, [name], "alice"]);
      const known = await ask(party, "/userinfo");
      assert.deepEqual([known.sub, known.email, known.email_verified], [claims.sub, "alice@example.com", true]);

      const renewed = await ask(party, "/refresh");
      assert.equal(renewed.claims?.sub, claims.sub, JSON.stringify(renewed));
      assert.equal(renewed.claims.auth_time, claims.auth_time);
      assert.equal((await ask(party, "/userinfo")).sub, claims.sub);

      const here = await page.goto(`${party.origin}/login?prompt=none`);
      assert.equal((await here.json()).claims.sub, claims.sub);
      const gone = await page.goto(`${party.origin}/logout`);
      assert.equal(new URL(page.url()).pathname, "/bye");
      assert.deepEqual(await gone.json(), { bye: true });
      const stranger = await page.goto(`${party.origin}/login?prompt=none`);
      assert.deepEqual(await stranger.json(), { error: "login_required" });
      const after = await ask(party, "/refresh");
      if (scope === OFFLINE) assert.equal(after.claims?.sub, claims.sub, JSON.stringify(after));
      else assert.deepEqual(after, { error: "invalid_grant" });
    });

    if (device) test(`${title} waits for a code to be typed`, async (parties) => {
      const { world, [name]: party } = parties;
      await world.hasPassword("alice");
      const shown = await ask(party, "/device");
      const waiting = ask(party, "/device/token");
      const page = await world.person();
      await signIn(page, "alice", PASSWORD, await page.goto(shown.verification_uri));
      await page.fill("input[name=code]", shown.user_code);
      await page.keyboard.press("Enter");
      await page.locator("form", { has: page.locator("input[value=allow]") }).locator("button").click();
      await page.waitForSelector("text=The device is connected");
      const { claims, error } = await waiting;
      assert.equal(error, undefined);
      assert.equal(claims.preferred_username, "alice");
    });
  }

  test("whom the rules refuse comes to no party", async ({ world, go }) => {
    await world.hasPassword("mallory");
    const page = await world.person();
    const answer = await signIn(page, "mallory", PASSWORD, await page.goto(`${go.origin}/login`));
    assert.deepEqual([answer.status(), new URL(page.url()).origin], [403, AUTH]);
    assert.match(await page.locator("main").innerText(), /is not open to you/);
  });
});
