// A client that lies in its headers, inside and outside the addresses that Traefik trusts.
import assert from "node:assert/strict";
import { suite } from "./harness/suite.mjs";
import { AUTH, World } from "./harness/world.mjs";

const apps = (world) => `
app open "Open to users" {
    proxy "https://open.example.com" to="${world.echo.url}" { bypass "/public/*" reason="shared by link" }
    access { allow group:users }
}
app closed "Closed to users" {
    proxy "https://closed.example.com" to="${world.echo.url}" {
        identity-headers authentik
        header X-Role "'plain'"
        bypass "/public/*" reason="shared by link"
    }
    access { allow group:admins }
}
app lan "From one address only" {
    proxy "https://lan.example.com" to="${world.echo.url}"
    access { allow group:users if=one-address }
}
policy one-address { network "127.0.0.5/32" }
`;

const OPEN = "https://open.example.com";
const CLOSED = "https://closed.example.com";
const FORGED = "forged-by-the-client";

/** The client outside and inside Traefik's trusted addresses. */
const SIDES = (world) => [["outside", world.ports.websecure], ["inside", world.ports.trusted]];

const IDENTITY = [
  "Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email", "X-authentik-username", "X-authentik-groups", "X-authentik-entitlements",
  "X-authentik-email", "X-authentik-name", "X-authentik-uid", "X-authentik-jwt", "X-authentik-meta-app", "X-Role",
];

/** Spellings of a header name that different programs take for the same. */
function spellings(name) {
  return [name, name.toLowerCase(), name.toUpperCase(), name.replaceAll("-", "_"), name.replaceAll("-", "_").toUpperCase(), name.replace("-", "_")];
}

/** Fails if the application behind the proxy could have seen the forged value in a header that means `name`. */
function unseen(answer, name, label) {
  if (!answer.ok) return;
  const values = answer.json().folded[name.toLowerCase()] ?? [];
  assert.ok(!values.some((value) => value.includes(FORGED)), `${label} reached the application as ${JSON.stringify(values)}`);
}

suite("spoofing", () => World.start("spoofing", { apps }), (test) => {
  test("no spelling of an identity header reaches the application of a signed-in user (security.md 2)", async (world) => {
    for (const [side, port] of SIDES(world)) {
      const bob = await world.signedIn("bob", { port });
      await bob.open(`${OPEN}/`);
      for (const name of IDENTITY.slice(0, 4)) {
        for (const spelling of spellings(name)) {
          const answer = await bob.fetch(`${OPEN}/`, { headers: [[spelling, FORGED], ["Accept", "*/*"]] });
          unseen(answer, name, `${side}: ${spelling}`);
          if (spelling.includes("_")) assert.equal(answer.status, 400, `${side}: ${spelling} is refused`);
          else assert.deepEqual(answer.json().folded[name.toLowerCase()].length, 1, `${side}: ${spelling} once`);
        }
      }
    }
  });

  test("no spelling of an identity header passes where nobody signs in (security.md 3)", async (world) => {
    for (const [side, port] of SIDES(world)) {
      for (const host of [OPEN, CLOSED]) {
        const plain = await world.visitor({ port }).fetch(`${host}/public/x`);
        assert.equal(plain.status, 200, `${host}/public/x is open`);
        for (const name of IDENTITY) {
          for (const spelling of spellings(name)) {
            const answer = await world.visitor({ port }).fetch(`${host}/public/x`, { headers: [[spelling, FORGED]] });
            unseen(answer, name, `${side} ${host}: ${spelling}`);
          }
        }
      }
    }
  });

  test("doubled identity headers do not add up (security.md 2)", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open(`${OPEN}/`);
    const answer = await bob.fetch(`${OPEN}/`, { headers: [["Remote-User", FORGED], ["remote-user", FORGED], ["Remote-Groups", "admins"], ["Remote-Groups", FORGED]] });
    unseen(answer, "Remote-User", "doubled");
    if (answer.ok) {
      assert.deepEqual(answer.json().folded["remote-user"], ["bob"]);
      assert.deepEqual(answer.json().folded["remote-groups"], ["users"]);
    }
  });

  test("forged forwarded headers do not move the decision to another path (security.md 1, R1)", async (world) => {
    for (const [side, port] of SIDES(world)) {
      for (const [name, value] of [["X-Forwarded-Uri", "/public/x"], ["X-Original-URL", `${OPEN}/public/x`], ["X-Original-URI", "/public/x"], ["X-Rewrite-URL", "/public/x"], ["X-Forwarded-Path", "/public/x"], ["X-Forwarded-Prefix", "/public"], ["X_Forwarded_Uri", "/public/x"], ["x-forwarded-URI", "/public/x"]]) {
        const answer = await world.visitor({ port }).fetch(`${OPEN}/private`, { headers: [[name, value], ["Accept", "*/*"]] });
        assert.ok([400, 401].includes(answer.status), `${side}: ${name} gave ${answer.status}`);
      }
    }
  });

  test("forged forwarded headers do not move the decision to another host (security.md 1, R1)", async (world) => {
    for (const [side, port] of SIDES(world)) {
      const bob = await world.signedIn("bob", { port });
      await bob.open(`${OPEN}/`);
      const cookie = bob.cookieFor(OPEN);
      for (const [name, value] of [["X-Forwarded-Host", "open.example.com"], ["X_Forwarded_Host", "open.example.com"], ["Forwarded", "host=open.example.com"], ["X-Original-Host", "open.example.com"], ["X-Host", "open.example.com"], ["X-Forwarded-Server", "open.example.com"]]) {
        const answer = await world.visitor({ port }).fetch(`${CLOSED}/`, { headers: [[name, value], ["Cookie", cookie], ["Accept", "*/*"]] });
        assert.ok(answer.status >= 400, `${side}: ${name} gave ${answer.status}`);
      }
    }
  });

  test("forged methods and doubled forwarded headers change nothing (R1)", async (world) => {
    for (const [side, port] of SIDES(world)) {
      for (const method of ["OPTIONS", "HEAD", "GET"]) {
        const answer = await world.visitor({ port }).fetch(`${OPEN}/private`, { method: "POST", body: "x=1", headers: [["X-Forwarded-Method", method], ["X-HTTP-Method-Override", method], ["X-Original-Method", method]] });
        assert.ok([400, 401].includes(answer.status), `${side}: ${method} gave ${answer.status}`);
      }
      const headers = [["X-Forwarded-Uri", "/public/x"], ["X-Forwarded-Uri", "/public/y"], ["X-Forwarded-Host", "open.example.com"], ["X-Forwarded-Host", "open.example.com"]];
      const answer = await world.visitor({ port }).fetch(`${OPEN}/private`, { headers });
      assert.ok([400, 401].includes(answer.status), `${side}: doubled gave ${answer.status}`);
    }
  });

  test("the application sees the real address, never the forged one (R1, R7)", async (world) => {
    for (const [side, port] of SIDES(world)) {
      const bob = await world.signedIn("bob", { port });
      await bob.open(`${OPEN}/`);
      const answer = await bob.fetch(`${OPEN}/real?q=1`, { headers: [["X-Forwarded-Uri", "/forged"], ["X-Forwarded-Host", "forged.example.com"], ["X-Original-URL", "/forged"], ["X-Rewrite-URL", "/forged"], ["X-HTTP-Method-Override", "DELETE"]] });
      assert.equal(answer.status, 200, side);
      const { url, folded } = answer.json();
      assert.equal(url, "/real?q=1");
      assert.deepEqual(folded["x-forwarded-host"], ["open.example.com"], side);
      for (const name of ["x-original-url", "x-rewrite-url", "x-http-method-override", "x-forwarded-uri"]) {
        assert.ok(!(folded[name] ?? []).some((value) => /forged|DELETE/.test(value)), `${side}: ${name} is ${folded[name]}`);
      }
    }
  });

  test("naming headers in Connection does not open a door (security.md 4)", async (world) => {
    for (const [side, port] of SIDES(world)) {
      const bob = await world.signedIn("bob", { port });
      await bob.open(`${OPEN}/`);
      for (const named of ["X-Forwarded-Host", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-For", "Cookie", "Remote-User", "X-Forwarded-Host, X-Forwarded-Uri, X-Forwarded-Proto"]) {
        const foreign = await world.visitor({ port }).fetch(`${CLOSED}/`, { headers: [["Connection", named], ["Cookie", bob.cookieFor(OPEN)], ["X-Forwarded-Host", "open.example.com"]] });
        assert.ok(foreign.status >= 400, `${side}: Connection: ${named} gave ${foreign.status}`);
        const anonymous = await world.visitor({ port }).fetch(`${OPEN}/private`, { headers: [["Connection", named], ["X-Forwarded-Uri", "/public/x"]] });
        assert.ok(anonymous.status >= 400, `${side}: Connection: ${named} gave ${anonymous.status}`);
        const own = await bob.fetch(`${OPEN}/`, { headers: [["Connection", named], ["Remote-User", FORGED]] });
        unseen(own, "Remote-User", `${side}: Connection: ${named}`);
      }
    }
  });

  test("the client address is the rightmost that is no trusted proxy (R6)", async (world) => {
    const far = await world.signedIn("bob");
    assert.equal((await far.open("https://lan.example.com/")).status, 403, "from an address inside trusted-proxies");
    for (const forged of ["127.0.0.5", "127.0.0.5, 127.0.0.1", "127.0.0.5, 203.0.113.1", "garbage", "::ffff:127.0.0.5"]) {
      const answer = await far.fetch("https://lan.example.com/", { headers: [["X-Forwarded-For", forged], ["X-Real-Ip", "127.0.0.5"]] });
      assert.equal(answer.status, 403, `X-Forwarded-For: ${forged} from outside`);
    }
    const near = await world.signedIn("bob", { from: "127.0.0.5" });
    assert.equal((await near.open("https://lan.example.com/")).status, 200, "from 127.0.0.5 itself");
    const behind = await world.signedIn("bob", { port: world.ports.trusted });
    await behind.open("https://lan.example.com/");
    const told = (value) => behind.fetch("https://lan.example.com/", { headers: [["X-Forwarded-For", value]] });
    assert.equal((await told("127.0.0.5")).status, 200, "a trusted outer proxy names the client");
    assert.equal((await told("127.0.0.5, 203.0.113.1")).status, 403, "forged on the left");
    assert.equal((await told("127.0.0.5, garbage")).status, 403, "garbage");
    assert.equal((await told(Array(40).fill("127.0.0.5").join(", "))).status, 403, "too many hops");
  });

  test("our cookies do not reach the application, its own do (R12)", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open(`${OPEN}/`);
    const ours = bob.cookieFor(OPEN);
    const answer = await world.visitor().fetch(`${OPEN}/`, { headers: [["Cookie", `theme=dark; ${ours}; lang=de`]] });
    assert.equal(answer.status, 200);
    const seen = (answer.json().headers.cookie ?? []).join("; ");
    assert.match(seen, /theme=dark/);
    assert.match(seen, /lang=de/);
    assert.doesNotMatch(seen, /doorward/);
  });

  test("decision endpoints do not answer through the public host (R16)", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open(`${OPEN}/`);
    const endpoints = ["/auth/traefik", "/auth/caddy", "/auth/nginx", "/auth/envoy/", "/outpost.goauthentik.io/auth/traefik", "/outpost.goauthentik.io/auth/caddy", "/outpost.goauthentik.io/auth/nginx",
      "/outpost.goauthentik.io/auth/envoy/", "/api/authz/forward-auth", "/api/authz/auth-request", "/api/authz/ext-authz/", "/AUTH/traefik", "//auth/traefik", "/auth//traefik", "/x/../auth/traefik", "/%61uth/traefik", "/auth/traefik/"];
    const headers = [["X-Forwarded-Uri", "/"], ["X-Forwarded-Method", "GET"], ["X-Forwarded-Host", "open.example.com"], ["X-Original-URL", `${OPEN}/`], ["X-Original-Method", "GET"]];
    for (const [side, port] of SIDES(world)) {
      for (const endpoint of endpoints) {
        const answer = await bob.fetch(`${AUTH}/`, { target: endpoint, port, headers: [...headers, ["Cookie", bob.cookieFor(OPEN)]] });
        assert.equal(answer.status, 404, `${side}: ${endpoint} gave ${answer.status}`);
        for (const name of IDENTITY) assert.equal(answer.header(name), undefined, `${endpoint} answers ${name}`);
      }
    }
  });

  test("a peer that is not a trusted proxy is refused and told why (security.md 1)", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open(`${OPEN}/`);
    const headers = [["X-Forwarded-Method", "GET"], ["X-Forwarded-Proto", "https"], ["X-Forwarded-Host", "open.example.com"], ["X-Forwarded-Uri", "/public/x"], ["X-Forwarded-For", "203.0.113.9"], ["Cookie", bob.cookieFor(OPEN)]];
    const trusted = await world.doorward.get("/auth/traefik", headers);
    assert.equal(trusted.status, 200);
    for (const endpoint of ["/auth/traefik", "/auth/caddy", "/outpost.goauthentik.io/auth/traefik", "/api/authz/forward-auth"]) {
      const answer = await world.doorward.get(endpoint, headers, { from: "127.0.0.9" });
      assert.equal(answer.status, 403, endpoint);
      assert.equal(answer.header("remote-user"), undefined);
    }
    const host = await world.doorward.get("/auth/traefik", [["Host", "auth.example.com"], ...headers]);
    assert.equal(host.status, 404, "the right peer with the public host");
  });
});
suite(
  "spoofing: no trusted proxies",
  () => World.start("untrusted", { apps, base: { trusted: `"10.9.9.9/32"` } }),
  (test) => {
    test("behind a proxy that is not listed every answer is 403 (security.md 1)", async (world) => {
      for (const path of ["/", "/public/x"]) {
        const answer = await world.visitor().step(`${OPEN}${path}`);
        assert.equal(answer.status, 403, path);
      }
      assert.equal(world.echo.seen.length, 0, "nothing reached the application");
    });
  },
);
