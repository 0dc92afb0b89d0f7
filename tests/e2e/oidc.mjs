// OpenID Connect with a certified client library that nobody here wrote, people in a real browser, and a real Traefik.
import assert from "node:assert/strict";
import * as client from "openid-client";
import { signIn } from "./harness/browser.mjs";
import { inspect } from "./harness/inspect.mjs";
import { suite } from "./harness/suite.mjs";
import { send } from "./harness/wire.mjs";
import { AUTH, PASSWORD, World } from "./harness/world.mjs";

const CALLBACK = "https://wiki.example.com/callback";
const BANK = "https://bank.example.com/callback";
const GONE = "https://wiki.example.com/gone";
const BYE = "https://wiki.example.com/bye";

const apps = (world) => `
service-account nightly "Nightly job"
app wiki "Team wiki" {
    oidc {
        redirect-uri "${CALLBACK}"
        post-logout-redirect-uri "${BYE}"
        front-channel-logout-uri "${GONE}"
        scopes openid profile email groups offline_access
        claim role "'admins' in user.groups ? 'editor' : 'reader'"
        client-secret (file)"${world.secrets.wiki}"
        refresh-token days=30
    }
    access { allow group:users }
}
app notes "Notes" {
    oidc public {
        redirect-uri "https://notes.example.com/callback"
        scopes openid profile email offline_access
        refresh-token days=30
        consent builtin.explicit-consent
        signing ES256
    }
    access { allow group:users }
}
app bank "Bank" {
    oidc {
        profile fapi2
        jwks #"${JSON.stringify({ keys: [world.jwk] })}"#
        redirect-uri "${BANK}"
        scopes openid profile offline_access
        refresh-token days=30
    }
    access { allow group:users }
}
app television "Television" {
    oidc public {
        grants device-code
        scopes openid profile offline_access
        refresh-token days=30
    }
    access { allow group:users }
}
app machine "Machine" {
    oidc {
        client-secret (file)"${world.secrets.machine}"
        client-auth post
        grants client-credentials
        acts-as nightly
        scopes things:read
        signing EdDSA
    }
    access { allow service-account:nightly }
}
`;

async function start(name) {
  const secrets = { wiki: "the wiki has a secret + 100 % of it", machine: "the machine has one, too" };
  const key = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", key.publicKey);
  return World.start(name, {
    apps: (world) => {
      Object.assign(world, { key: key.privateKey, jwk: { kty, crv, x, y, kid: "bank-1" } });
      world.secrets = Object.fromEntries(Object.keys(secrets).map((key) => [key, world.scratch.path("secrets", key)]));
      return apps(world);
    },
    before: async (world) => {
      for (const [key, value] of Object.entries(secrets)) await world.secret(key, value);
      world.values = secrets;
    },
  });
}

/** `fetch` by way of Traefik, whatever the host. */
const through = (world) => async (url, { method = "GET", headers = {}, body } = {}) => {
  const { host, hostname, pathname, search } = new URL(url);
  const list = [["Host", host], ...Object.entries(headers instanceof Headers ? Object.fromEntries(headers) : headers)];
  const answer = await send({
    port: world.ports.websecure, tls: true, servername: hostname, method, target: pathname + search, headers: list,
    body: body == null ? undefined : body.toString(),
  });
  const kept = answer.rawHeaders.filter(([name]) => !/^(transfer-encoding|content-length|connection)$/i.test(name));
  return new Response(answer.status === 204 ? null : answer.text, { status: answer.status, headers: kept });
};

const discover = (world, id, secret, auth) =>
  client.discovery(new URL(AUTH), id, secret, auth, { [client.customFetch]: through(world) });

/** A request with PKCE, and what belongs to it. */
async function asking(config, redirect_uri, more = {}) {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri, state, nonce, scope: "openid profile email groups",
    code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256", ...more,
  });
  return { url: url.href, checks: { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true } };
}

/** Waits for the browser to come to the application, whoever answers there. */
const arrives = (page, at) => page.waitForURL((url) => url.href.startsWith(at), { waitUntil: "commit" });

suite("oidc", () => start("oidc"), (test) => {
  test("openid-client signs somebody in, refreshes, asks and signs out", async (world) => {
    await world.hasPassword("alice");
    const config = await discover(world, "wiki", world.values.wiki, client.ClientSecretBasic(world.values.wiki));
    const page = await world.person();
    const { url, checks } = await asking(config, CALLBACK, { scope: "openid profile email groups offline_access" });
    const answer = await page.goto(url);
    await signIn(page, "alice", PASSWORD, answer);
    await arrives(page, CALLBACK);
    const tokens = await client.authorizationCodeGrant(config, new URL(page.url()), checks);
    const claims = tokens.claims();
    assert.equal(claims.preferred_username, "alice");
    assert.equal(claims.role, "editor");
    assert.ok(claims.groups.includes("users"), JSON.stringify(claims));
    const known = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
    assert.equal(known.email_verified, true);

    const again = await client.refreshTokenGrant(config, tokens.refresh_token);
    assert.equal(again.claims().sub, claims.sub);
    assert.equal((await client.tokenIntrospection(config, again.access_token)).active, true);
    await client.tokenRevocation(config, again.refresh_token);
    assert.equal((await client.tokenIntrospection(config, again.access_token)).active, false);
    await assert.rejects(client.refreshTokenGrant(config, again.refresh_token), { error: "invalid_grant" });

    // A second app is entered without a word, and a code cannot be used twice.
    const next = await asking(config, CALLBACK, { prompt: "none" });
    await page.goto(next.url, { waitUntil: "commit" }).catch(() => {});
    await arrives(page, CALLBACK);
    const here = new URL(page.url());
    await client.authorizationCodeGrant(config, here, next.checks);
    await assert.rejects(client.authorizationCodeGrant(config, here, next.checks), { error: "invalid_grant" });

    const out = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: BYE, state: "bye" });
    const told = page.waitForRequest((request) => request.url().startsWith(GONE));
    await page.goto(out.href, { waitUntil: "commit" }).catch(() => {});
    const frame = new URL((await told).url());
    assert.deepEqual([frame.searchParams.get("iss"), frame.searchParams.get("sid")], [AUTH, claims.sid]);
    await arrives(page, BYE);
    assert.equal(new URL(page.url()).searchParams.get("state"), "bye");
    const after = await asking(config, CALLBACK, { prompt: "none" });
    await page.goto(after.url, { waitUntil: "commit" }).catch(() => {});
    await arrives(page, CALLBACK);
    await assert.rejects(client.authorizationCodeGrant(config, new URL(page.url()), after.checks), { error: "login_required" });
  });

  test("an answer is posted by a form, and agreed to on a page that says what the app learns", async (world) => {
    await world.hasPassword("alice");
    const config = await discover(world, "notes", undefined, client.None());
    const page = await world.person({ bypassCSP: true });
    const callback = "https://notes.example.com/callback";
    const { url, checks } = await asking(config, callback, { scope: "openid profile email offline_access", response_mode: "form_post" });
    const answer = await page.goto(url);
    await signIn(page, "alice", PASSWORD, answer);
    await page.waitForSelector("input[name=do]", { state: "attached" });
    await inspect(page, "oidc-consent");
    const words = await page.locator("main").innerText();
    assert.match(words, /Notes/);
    assert.match(words, /when you are not there/);
    const posted = page.waitForRequest((request) => request.method() === "POST" && request.url() === callback);
    await page.locator("form", { has: page.locator("input[value=allow]") }).locator("button").click();
    const form = new URLSearchParams((await posted).postData());
    const request = new Request(callback, { method: "POST", body: form, headers: { "Content-Type": "application/x-www-form-urlencoded" } });
    const tokens = await client.authorizationCodeGrant(config, request, checks);
    assert.equal(tokens.claims().preferred_username, "alice");
    assert.equal((await client.refreshTokenGrant(config, tokens.refresh_token)).claims().sub, tokens.claims().sub);
  });

  test("an address that is not declared is answered by a page, and a refusal by the app's own", async (world) => {
    await world.hasPassword("alice");
    const config = await discover(world, "notes", undefined, client.None());
    const page = await world.person({ bypassCSP: true });
    const wrong = await asking(config, "https://notes.example.com/elsewhere", { scope: "openid" });
    const answer = await page.goto(wrong.url);
    assert.equal(answer.status(), 400);
    await inspect(page, "oidc-misfit");
    const { url, checks } = await asking(config, "https://notes.example.com/callback", { scope: "openid email" });
    await signIn(page, "alice", PASSWORD, await page.goto(url));
    await page.waitForSelector("input[name=do]", { state: "attached" });
    await page.locator("form", { has: page.locator("input[value=refuse]") }).locator("button").click();
    await arrives(page, "https://notes.example.com/callback");
    await assert.rejects(client.authorizationCodeGrant(config, new URL(page.url()), checks), { error: "access_denied" });
  });

  test("a request is pushed before anybody is sent here", async (world) => {
    await world.hasPassword("alice");
    const config = await discover(world, "wiki", world.values.wiki, client.ClientSecretBasic(world.values.wiki));
    const verifier = client.randomPKCECodeVerifier();
    const url = await client.buildAuthorizationUrlWithPAR(config, {
      redirect_uri: CALLBACK, scope: "openid email", state: "pushed",
      code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
    });
    assert.deepEqual([...url.searchParams.keys()].sort(), ["client_id", "request_uri"]);
    const page = await world.person();
    await signIn(page, "alice", PASSWORD, await page.goto(url.href));
    await arrives(page, CALLBACK);
    const checks = { pkceCodeVerifier: verifier, expectedState: "pushed", idTokenExpected: true };
    assert.ok((await client.authorizationCodeGrant(config, new URL(page.url()), checks)).claims().email);
  });

  test("a client of the FAPI 2.0 profile proves itself by a key, and its tokens are bound to one", async (world) => {
    await world.hasPassword("alice");
    const config = await discover(world, "bank", undefined, client.PrivateKeyJwt({ key: world.key, kid: "bank-1" }));
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
    const verifier = client.randomPKCECodeVerifier();
    const url = await client.buildAuthorizationUrlWithPAR(config, {
      redirect_uri: BANK, scope: "openid profile offline_access", state: "fapi",
      code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
    }, { DPoP });
    const page = await world.person();
    await signIn(page, "alice", PASSWORD, await page.goto(url.href));
    await arrives(page, BANK);
    const checks = { pkceCodeVerifier: verifier, expectedState: "fapi", idTokenExpected: true };
    const tokens = await client.authorizationCodeGrant(config, new URL(page.url()), checks, undefined, { DPoP });
    assert.equal(tokens.token_type, "dpop");
    const subject = tokens.claims().sub;
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, subject, { DPoP })).preferred_username, "alice");
    await assert.rejects(client.fetchUserInfo(config, tokens.access_token, subject));
    const again = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
    assert.equal(again.refresh_token, undefined);
    const thief = client.getDPoPHandle(config, await client.randomDPoPKeyPair("ES256"));
    await assert.rejects(client.fetchUserInfo(config, again.access_token, subject, { DPoP: thief }));
  });

  test("a device without a keyboard is let in by the code that its person types", async (world) => {
    await world.hasPassword("alice");
    const config = await discover(world, "television", undefined, client.None());
    const shown = await client.initiateDeviceAuthorization(config, { scope: "openid profile offline_access" });
    const polling = client.pollDeviceAuthorizationGrant(config, shown);
    const page = await world.person();
    await signIn(page, "alice", PASSWORD, await page.goto(shown.verification_uri));
    await page.waitForSelector("input[name=code]");
    await page.fill("input[name=code]", "wrong");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[role=alert]");
    await inspect(page, "oidc-device");
    await page.fill("input[name=code]", shown.user_code.toLowerCase());
    await page.keyboard.press("Enter");
    await page.waitForSelector("input[value=allow]", { state: "attached" });
    await inspect(page, "oidc-device-confirm");
    assert.match(await page.locator("main").innerText(), /Television/);
    await page.locator("form", { has: page.locator("input[value=allow]") }).locator("button").click();
    await page.waitForSelector("text=The device is connected");
    await inspect(page, "oidc-device-answered");
    const tokens = await polling;
    assert.equal(tokens.claims().preferred_username, "alice");
    assert.ok(tokens.refresh_token);
  });

  test("a machine has a token of its own", async (world) => {
    const config = await discover(world, "machine", world.values.machine, client.ClientSecretPost(world.values.machine));
    const tokens = await client.clientCredentialsGrant(config, { scope: "things:read" });
    assert.equal(tokens.scope, "things:read");
    assert.equal((await client.tokenIntrospection(config, tokens.access_token)).client_id, "machine");
    const wrong = await discover(world, "machine", "wrong", client.ClientSecretPost("wrong"));
    await assert.rejects(client.clientCredentialsGrant(wrong), { error: "invalid_client" });
  });
});
