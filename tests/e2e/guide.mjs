// The homelab guide's own set-up: a middleware file with its address and header names, apps labelled `authentik@file`.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { openAndSignIn, submit } from "./harness/browser.mjs";
import { suite } from "./harness/suite.mjs";
import { handshake } from "./harness/websocket.mjs";
import { AUTH, PASSWORD, World } from "./harness/world.mjs";

const GRAFANA = "https://grafana.example.com";

const apps = () => `
app grafana "Grafana" {
    proxy "${GRAFANA}" { identity-headers authentik }
    access { allow group:users }
}
app portainer "Portainer" {
    proxy "https://portainer.example.com" { identity-headers authentik }
    access { allow group:admins }
}
`;

const HEADERS = ["username", "groups", "entitlements", "email", "name", "uid", "jwt", "meta-jwks", "meta-outpost", "meta-provider", "meta-app", "meta-version"].map((name) => `X-authentik-${name}`);

/** `middlewares.yml` as people have it. */
const middlewareFile = (world) => `
http:
  middlewares:
    authentik:
      forwardAuth:
        address: http://127.0.0.1:${world.ports.doorward}/outpost.goauthentik.io/auth/traefik
        trustForwardHeader: true
        authResponseHeaders:
${HEADERS.map((name) => `          - ${name}`).join("\n")}
`;

/** What container labels would give: routers of another provider that name the middleware of the file. */
const labels = (world) => {
  const router = (host) => ({ rule: `Host(\`${host}\`)`, entryPoints: ["websecure"], tls: {}, middlewares: ["authentik@file"], service: "app" });
  return {
    http: {
      routers: { grafana: router("grafana.example.com"), portainer: router("portainer.example.com") },
      services: { app: { loadBalancer: { servers: [{ url: world.echo.url }] } } },
    },
  };
};

const before = async (world) => {
  await writeFile(`${world.doorward.dynamic}/middlewares.yml`, middlewareFile(world));
  world.echo.document("/labels.json", labels(world));
};

suite("guide", () => World.start("guide", { apps, before, labels: true, waitFor: "grafana.example.com" }), (test) => {
  test("a person signs in and lands back through the guide's middleware alone", async (world) => {
    await world.hasPassword("bob");
    const page = await world.person();
    const answer = await openAndSignIn(page, `${GRAFANA}/d/1?x=2`, "bob", PASSWORD);
    assert.equal(page.url(), `${GRAFANA}/d/1?x=2`);
    assert.equal(answer.status(), 200);
    const { headers } = await answer.json();
    assert.deepEqual(headers["x-authentik-username"], ["bob"]);
    assert.deepEqual(headers["x-authentik-groups"], ["users"]);
    assert.deepEqual(headers["x-authentik-email"], ["bob@example.com"]);
    assert.deepEqual(headers["x-authentik-name"], ["Bob Example"]);
  });

  test("groups are joined by a bar", async (world) => {
    const alice = await world.signedIn("alice");
    const answer = await alice.open(`${GRAFANA}/`);
    assert.deepEqual(answer.json().headers["x-authentik-groups"][0].split("|").sort(), ["admins", "users"]);
  });

  test("a user without access gets the 403 page, a stranger without a browser 401", async (world) => {
    const bob = await world.signedIn("bob");
    assert.equal((await bob.open("https://portainer.example.com/")).status, 403);
    assert.equal((await world.visitor().fetch(`${GRAFANA}/`)).status, 401);
  });

  test("WebSockets need no bypass", async (world) => {
    const alice = await world.signedIn("alice");
    await alice.open("https://portainer.example.com/");
    const connect = (who) => who.fetch("https://portainer.example.com/api/websocket/exec", { headers: handshake({ origin: "https://portainer.example.com" }) });
    assert.equal((await connect(alice)).status, 101);
    assert.equal((await connect(world.visitor())).status, 401);
  });

  test("forged identity headers do not pass", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open(`${GRAFANA}/`);
    for (const name of HEADERS) {
      const answer = await bob.fetch(`${GRAFANA}/`, { headers: [[name, "forged"], [name.toUpperCase(), "forged"]] });
      if (answer.ok) assert.ok(!(answer.json().folded[name.toLowerCase()] ?? []).includes("forged"), name);
    }
    const alias = await bob.fetch(`${GRAFANA}/`, { headers: [["X_authentik_username", "alice"]] });
    assert.equal(alias.status, 400, "an underscore alias is refused");
  });

  test("signing out by the old path ends the session", async (world) => {
    await world.hasPassword("bob");
    const page = await world.person();
    await openAndSignIn(page, `${GRAFANA}/`, "bob", PASSWORD);
    await page.goto(`${GRAFANA}/outpost.goauthentik.io/sign_out`);
    assert.equal(new URL(page.url()).origin, AUTH);
    const form = page.locator('form[action$="/sign-out"]');
    if (await form.count()) await submit(page, form);
    await page.goto(`${GRAFANA}/`);
    assert.equal(new URL(page.url()).origin, AUTH);
  });

  test("the start path of the outpost begins a sign-in", async (world) => {
    const bob = await world.signedIn("bob");
    const answer = await bob.open(`${GRAFANA}/outpost.goauthentik.io/start?rd=${encodeURIComponent(`${GRAFANA}/there`)}`);
    assert.equal(bob.url, `${GRAFANA}/there`);
    assert.equal(answer.status, 200);
  });
});
