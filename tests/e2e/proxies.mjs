// The same contract through nginx and Caddy, with the configuration that Doorward itself prints.
import assert from "node:assert/strict";
import { openAndSignIn } from "./harness/browser.mjs";
import { Caddy } from "./harness/caddy.mjs";
import { makeCertificate } from "./harness/certificate.mjs";
import { credentials } from "./harness/credentials.mjs";
import { Nginx } from "./harness/nginx.mjs";
import { everySpelling } from "./harness/spellings.mjs";
import { suite } from "./harness/suite.mjs";
import { handshake } from "./harness/websocket.mjs";
import { sendBytes } from "./harness/wire.mjs";
import { AUTH, PASSWORD, World } from "./harness/world.mjs";

const OPEN = "https://open.example.com";
const CLOSED = "https://closed.example.com";
const FORGED = "forged-by-the-client";
const NAMES = ["Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email"];

const apps = (world) => `
app open "Open to users" {
    proxy "${OPEN}" to="${world.echo.url}" { bypass "/public/*" reason="shared by link" }
    access {
        deny group:users path="/admin/*"
        allow group:users
    }
}
app closed "Closed to users" {
    proxy "${CLOSED}" to="${world.echo.url}"
    access { allow group:admins }
}
`;

const spellings = (name) => [name, name.toLowerCase(), name.toUpperCase(), name.replaceAll("-", "_"), name.replaceAll("-", "_").toUpperCase()];

/** A world with another proxy where Traefik would stand. */
async function start(kind, Proxy) {
  const world = await World.start(kind, { apps, proxy: false });
  try {
    const snippets = new Map();
    for (const app of ["open", "closed"]) snippets.set(`${app}.example.com`, await world.doorward.snippet(kind, app));
    const certificate = await makeCertificate(world.scratch);
    world.proxy = await Proxy.start(world.scratch, { port: world.ports.websecure, doorward: world.doorward.authority, certificate, snippets, authHost: "auth.example.com" });
    const [stop, report] = [world.stop.bind(world), world.report.bind(world)];
    world.stop = async () => {
      await world.browser?.stop();
      await world.proxy.stop();
      world.browser = null;
      await stop();
    };
    world.report = () => `${report()}\n--- ${kind}\n${world.proxy.program.tail(8)}`;
    return world;
  } catch (error) {
    await world.stop();
    throw error;
  }
}

function contract(test) {
  test("a person signs in and lands on the page asked for", async (world) => {
    await world.hasPassword("bob");
    const page = await world.person();
    const wanted = `${OPEN}/d/abc?orgId=1&from=now-6h&name=%C3%A4%20b`;
    const answer = await openAndSignIn(page, wanted, "bob", PASSWORD);
    assert.equal(page.url(), wanted);
    assert.equal(answer.status(), 200);
    const { headers, url } = await answer.json();
    assert.equal(url, "/d/abc?orgId=1&from=now-6h&name=%C3%A4%20b");
    assert.deepEqual(headers["remote-user"], ["bob"]);
    assert.deepEqual(headers["remote-groups"], ["users"]);
    assert.deepEqual(headers["remote-email"], ["bob@example.com"]);
    await page.goto(`${OPEN}/again`);
    assert.equal(page.url(), `${OPEN}/again`);
  });

  test("a person without access gets a 403", async (world) => {
    const bob = await world.signedIn("bob");
    assert.equal((await bob.open(`${CLOSED}/`)).status, 403);
    await bob.open(`${OPEN}/`);
    assert.equal((await bob.open(`${OPEN}/admin/users`)).status, 403);
  });

  test("a stranger is sent to sign in as a navigation and gets 401 otherwise", async (world) => {
    const stranger = world.visitor();
    await stranger.open(`${OPEN}/private`);
    assert.ok([302, 303].includes(stranger.trail[0].status), JSON.stringify(stranger.trail));
    assert.equal(new URL(stranger.url).origin, AUTH);
    const before = world.echo.seen.length;
    const fetch = await world.visitor().fetch(`${OPEN}/private`, { headers: [["Accept", "application/json"], ["Sec-Fetch-Mode", "cors"]] });
    assert.equal(fetch.status, 401);
    assert.equal(world.echo.seen.length, before);
  });

  test("a WebSocket is answered 101 or refused, never redirected", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open(`${OPEN}/`);
    const connect = (who, origin) => who.fetch(`${OPEN}/socket`, { headers: handshake({ origin }) });
    assert.equal((await connect(bob, OPEN)).status, 101);
    assert.equal((await connect(world.visitor(), OPEN)).status, 401);
    assert.equal((await connect(bob, "https://evil.example.com")).status, 403);
  });

  test("no spelling of an identity header reaches the application (security.md 2, 3)", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open(`${OPEN}/`);
    for (const [who, path] of [[bob, "/"], [world.visitor(), "/public/x"]]) {
      for (const name of NAMES) {
        for (const spelling of spellings(name)) {
          const answer = await who.fetch(`${OPEN}${path}`, { headers: [[spelling, FORGED], ["Accept", "*/*"]] });
          if (!answer.ok) continue;
          const values = answer.json().folded[name.toLowerCase()] ?? [];
          assert.ok(!values.some((value) => value.includes(FORGED)), `${spelling} at ${path} reached the application as ${values}`);
        }
        const answer = await who.fetch(`${OPEN}${path}`, { headers: [[name, FORGED], [name.toLowerCase(), FORGED]] });
        if (answer.ok) assert.ok(!JSON.stringify(answer.json().folded[name.toLowerCase()] ?? []).includes(FORGED), `twice ${name}`);
      }
    }
    assert.equal((await world.visitor().fetch(`${OPEN}/public/x`)).status, 200, "the open path is open");
  });

  test("forged forwarded headers do not move the decision (security.md 1, R1)", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open(`${OPEN}/`);
    const forged = [["X-Forwarded-Uri", "/public/x"], ["X-Original-URL", `${OPEN}/public/x`], ["X-Original-URI", "/public/x"], ["X-Rewrite-URL", "/public/x"], ["X-Forwarded-Host", "open.example.com"], ["X_Forwarded_Uri", "/public/x"],
      ["X_Original_URL", `${OPEN}/public/x`], ["X-Forwarded-Method", "OPTIONS"], ["X-Original-Method", "OPTIONS"], ["X-Forwarded-Prefix", "/public"], ["Forwarded", "host=open.example.com"], ["Connection", "X-Forwarded-Uri, X-Original-URL, X-Forwarded-Host"]];
    for (const header of forged) {
      const stranger = await world.visitor().fetch(`${OPEN}/private`, { headers: [header, ["Accept", "*/*"]] });
      assert.ok(stranger.status >= 400, `${header}: ${stranger.status}`);
      const foreign = await world.visitor().fetch(`${CLOSED}/`, { headers: [header, ["Cookie", bob.cookieFor(OPEN)], ["Accept", "*/*"]] });
      assert.ok(foreign.status >= 400, `${header}: ${foreign.status}`);
      const admin = await bob.fetch(`${OPEN}/admin/users`, { headers: [header, ["Accept", "*/*"]] });
      assert.ok(admin.status >= 400, `${header}: ${admin.status}`);
    }
  });

  test("malformed addresses never reach the application (security.md 8)", async (world) => {
    const lines = ["GET /%zz HTTP/1.1", "GET /% HTTP/1.1", "GET https://open.example.com/private HTTP/1.1", "GET https://open.example.com/public/x HTTP/1.1", "GET //evil.example.org/public/x HTTP/1.1", "GET ///private HTTP/1.1", "GET /public/..%2fprivate HTTP/1.1",
      "GET /public/..;/private HTTP/1.1", "GET /public/%2e%2e/private HTTP/1.1", "GET /public/../private HTTP/1.1", "GET /public/%252e%252e/private HTTP/1.1", "GET /public/x%00/../../private HTTP/1.1", "GET /\x01private HTTP/1.1", "GET /private\x7f HTTP/1.1",
      "GET /priv\xffate HTTP/1.1", "GET private HTTP/1.1", "GET /private#/public/x HTTP/1.1", "GET /public\\..\\private HTTP/1.1", "GET /public/..\\private HTTP/1.1", "GET /private?/public/ HTTP/1.1"];
    for (const line of lines) {
      const before = world.echo.seen.length;
      const bytes = Buffer.from(`${line}\r\nHost: open.example.com\r\nAccept: */*\r\nConnection: close\r\n\r\n`, "latin1");
      const status = await sendBytes({ port: world.ports.websecure, tls: true, servername: "open.example.com", bytes }).then((answer) => answer.status, () => "closed");
      const reached = world.echo.seen.slice(before).map((view) => view.url);
      assert.ok(reached.every((url) => url === "/public/x" || url === "https://open.example.com/public/x"), `${JSON.stringify(line)} (${status}) reached ${reached}`);
    }
  });

  everySpelling(test, "open.example.com");

  credentials(test, OPEN, "open");

  test("our cookies do not reach the application, its own do (R12)", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open(`${OPEN}/`);
    const answer = await world.visitor().fetch(`${OPEN}/`, { headers: [["Cookie", `theme=dark; ${bob.cookieFor(OPEN)}; lang=de`]] });
    assert.equal(answer.status, 200);
    const seen = (answer.json().headers.cookie ?? []).join("; ");
    assert.match(seen, /theme=dark/);
    assert.doesNotMatch(seen, /doorward/);
  });

  test("decision endpoints do not answer through the public host (R16)", async (world) => {
    for (const path of ["/auth/nginx", "/auth/caddy", "/auth/traefik", "/outpost.goauthentik.io/auth/nginx", "/api/authz/auth-request", "/api/authz/forward-auth"]) {
      const answer = await world.visitor().fetch(`${AUTH}${path}`, { headers: [["X-Original-URL", `${OPEN}/public/x`], ["X-Original-Method", "GET"], ["X-Forwarded-Uri", "/public/x"], ["X-Forwarded-Host", "open.example.com"]] });
      assert.equal(answer.status, 404, path);
      for (const name of NAMES) assert.equal(answer.header(name), undefined);
    }
  });
}

suite("nginx", () => start("nginx", Nginx), contract);
suite("caddy", () => start("caddy", Caddy), contract);
