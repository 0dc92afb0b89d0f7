// The answer table of the forward-auth contract, asked through a real Traefik and at the endpoint itself.
import assert from "node:assert/strict";
import { suite } from "./harness/suite.mjs";
import { AUTH, World } from "./harness/world.mjs";

const apps = (world) => `
app grafana "Grafana" {
    proxy "https://grafana.example.com" to="${world.echo.url}" {
        header X-Webauth-User "user.username"
        bypass "/public/*" reason="dashboards shared by link"
    }
    access {
        deny group:users path="/admin/*"
        allow group:users
    }
}
app vault "Vault" {
    proxy "https://vault.example.com" to="${world.echo.url}" { protect-only "/admin" "/admin/*" }
    access { allow group:admins }
}
`;

const GRAFANA = "https://grafana.example.com";
const ENDPOINTS = ["/auth/traefik", "/auth/caddy", "/outpost.goauthentik.io/auth/traefik", "/outpost.goauthentik.io/auth/caddy", "/api/authz/forward-auth"];
const NGINX_ENDPOINTS = ["/auth/nginx", "/outpost.goauthentik.io/auth/nginx", "/api/authz/auth-request"];

/** What Traefik sends for a GET of `uri` at `host`. */
const forwarded = (host, uri, more = []) => [
  ["X-Forwarded-Method", "GET"], ["X-Forwarded-Proto", "https"], ["X-Forwarded-Host", host], ["X-Forwarded-Uri", uri], ["X-Forwarded-For", "203.0.113.7"], ...more,
];

/** The address that a 401 names is absolute, ours, and leads a browser to the sign-in host. */
async function leadsToSignIn(world, location) {
  assert.match(location ?? "", /^https:\/\//, `Location: ${location}`);
  const visitor = world.visitor();
  await visitor.open(location);
  assert.equal(new URL(visitor.url).origin, AUTH, `${location} ends at ${visitor.url}`);
  assert.ok(visitor.forms().some((form) => form.inputs.includes("username")), `${location} ends at a page without a sign-in form`);
}

suite("decision", () => World.start("decision", { apps }), (test) => {
  test("a navigation without a session is redirected to an absolute address on the sign-in host", async (world) => {
    const answer = await world.visitor().step(`${GRAFANA}/d/1?x=2`);
    assert.equal(answer.status, 302);
    assert.ok(answer.header("location").startsWith(`${AUTH}/`), answer.header("location"));
  });

  test("a browser that sends no Sec-Fetch headers is redirected for text/html", async (world) => {
    const answer = await world.visitor().fetch(GRAFANA, { headers: [["Accept", "text/html,*/*"]] });
    assert.equal(answer.status, 302);
  });

  test("a posted navigation without a session is sent on with 303, never 307", async (world) => {
    const answer = await world.visitor().step(`${GRAFANA}/save`, { method: "POST", body: "a=b", initiator: `${GRAFANA}/form` });
    assert.equal(answer.status, 303);
    assert.ok(answer.header("location").startsWith(`${AUTH}/`));
    const back = new URL(answer.header("location")).searchParams.get("rd") ?? "";
    assert.ok(!back.includes("/save"), `${back}: nobody comes back to what a form was posted to`);
  });

  test("curl gets a 401 with Location and WWW-Authenticate", async (world) => {
    const answer = await world.visitor().fetch(`${GRAFANA}/api/x`, { headers: [["User-Agent", "curl/8.5.0"], ["Accept", "*/*"]] });
    assert.equal(answer.status, 401);
    await leadsToSignIn(world, answer.header("location"));
    assert.ok(answer.header("www-authenticate"));
    assert.deepEqual(answer.all("set-cookie"), [], "nothing is remembered for a request that cannot sign in");
  });

  test("fetch gets a 401 without a Basic challenge, in JSON when it asks for that", async (world) => {
    const headers = [["Accept", "application/json"], ["Sec-Fetch-Mode", "cors"], ["Sec-Fetch-Dest", "empty"], ["Sec-Fetch-Site", "same-origin"]];
    const answer = await world.visitor().fetch(`${GRAFANA}/api/x`, { headers });
    assert.equal(answer.status, 401);
    await leadsToSignIn(world, answer.header("location"));
    assert.doesNotMatch(answer.all("www-authenticate").join(), /basic/i);
    assert.match(answer.header("content-type"), /^application\/(.+\+)?json/);
    assert.ok(Object.values(answer.json()).some((value) => typeof value === "string"), "a stable code");
  });

  test("an allowed user reaches the application with identity headers", async (world) => {
    const alice = await world.signedIn("bob");
    const answer = await alice.open(`${GRAFANA}/d/1?x=2`);
    assert.equal(answer.status, 200, alice.says());
    const { headers, url } = answer.json();
    assert.equal(url, "/d/1?x=2");
    assert.deepEqual(headers["remote-user"], ["bob"]);
    assert.deepEqual(headers["remote-groups"], ["users"]);
    assert.deepEqual(headers["remote-email"], ["bob@example.com"]);
    assert.deepEqual(headers["x-webauth-user"], ["bob"]);
    assert.deepEqual(headers["x-forwarded-host"], ["grafana.example.com"], "the application still learns its public host");
  });

  test("a denied user gets a 403 page, and JSON with a reference when that is asked for", async (world) => {
    const mallory = await world.signedIn("mallory");
    const page = await mallory.open(`${GRAFANA}/`);
    assert.equal(page.status, 403);
    assert.match(mallory.says(), /Grafana/);
    const json = await mallory.fetch(`${GRAFANA}/api`, { headers: [["Accept", "application/json"], ["Sec-Fetch-Mode", "cors"]] });
    assert.equal(json.status, 403);
    assert.ok(JSON.stringify(json.json()).length > 2);
  });

  test("a rule for a path holds for that path alone", async (world) => {
    const bob = await world.signedIn("bob");
    assert.equal((await bob.open(`${GRAFANA}/admin/users`)).status, 403);
    assert.equal((await bob.open(`${GRAFANA}/d/admin`)).status, 200);
  });

  test("protect-only leaves the rest of an app open and the rest only", async (world) => {
    const nobody = world.visitor();
    const open = await nobody.step("https://vault.example.com/api/sync");
    assert.equal(open.status, 200);
    assert.equal((await nobody.step("https://vault.example.com/admin")).status, 302);
    assert.equal((await nobody.step("https://vault.example.com/admin/users")).status, 302);
  });

  test("nothing depends on the user agent", async (world) => {
    for (const agent of ["GoogleHC/1.0", "kube-probe/1.29", "ELB-HealthChecker/2.0", "Mozilla/5.0", ""]) {
      const answer = await world.visitor().fetch(`${GRAFANA}/`, { headers: [["User-Agent", agent], ["Accept", "*/*"]] });
      assert.equal(answer.status, 401, agent);
    }
  });

  test("every endpoint for Traefik and Caddy gives the same decisions", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open(`${GRAFANA}/`);
    const cookie = [["Cookie", bob.cookieFor(GRAFANA)]];
    for (const endpoint of ENDPOINTS) {
      const ask = (uri, more) => world.doorward.get(endpoint, forwarded("grafana.example.com", uri, more));
      assert.equal((await ask("/", cookie)).status, 200, endpoint);
      assert.equal((await ask("/admin/users", cookie)).status, 403, endpoint);
      assert.equal((await ask("/")).status, 401, endpoint);
      assert.equal((await ask("/public/x")).status, 200, endpoint);
    }
  });

  test("every endpoint for nginx gives the same decisions", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open(`${GRAFANA}/`);
    const cookie = [["Cookie", bob.cookieFor(GRAFANA)]];
    for (const endpoint of NGINX_ENDPOINTS) {
      const ask = (uri, more = []) => world.doorward.get(endpoint, [["X-Original-Method", "GET"], ["X-Original-URL", `${GRAFANA}${uri}`], ["X-Forwarded-For", "203.0.113.7"], ...more]);
      assert.equal((await ask("/", cookie)).status, 200, endpoint);
      assert.equal((await ask("/admin/users", cookie)).status, 403, endpoint);
      const anonymous = await ask("/", [["Accept", "text/html"]]);
      assert.equal(anonymous.status, 401, endpoint);
      await leadsToSignIn(world, anonymous.header("location"));
    }
  });

  test("a request that does not say what was asked for is refused, never guessed (security.md 4)", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open(`${GRAFANA}/`);
    const full = forwarded("grafana.example.com", "/", [["Cookie", bob.cookieFor(GRAFANA)]]);
    for (const missing of ["X-Forwarded-Method", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Uri"]) {
      const answer = await world.doorward.get("/auth/traefik", full.filter(([name]) => name !== missing));
      assert.ok(answer.status >= 400 || (missing === "X-Forwarded-Proto" && answer.ok), `without ${missing}: ${answer.status}`);
    }
    for (const doubled of ["X-Forwarded-Method", "X-Forwarded-Host", "X-Forwarded-Uri"]) {
      const answer = await world.doorward.get("/auth/traefik", [...full, full.find(([name]) => name === doubled)]);
      assert.equal(answer.status, 400, `twice ${doubled}`);
    }
  });

  test("an unknown host is a 404", async (world) => {
    const answer = await world.doorward.get("/auth/traefik", forwarded("nobody.example.com", "/"));
    assert.equal(answer.status, 404);
  });

  test("case, port and a trailing dot of the host make no difference (security.md 7)", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open(`${GRAFANA}/`);
    const cookie = [["Cookie", bob.cookieFor(GRAFANA)]];
    for (const host of ["GRAFANA.example.com", "grafana.example.com.", "Grafana.Example.Com:443", "grafana.example.com.:443"]) {
      assert.equal((await world.doorward.get("/auth/traefik", forwarded(host, "/admin/users", cookie))).status, 403, host);
      assert.equal((await world.doorward.get("/auth/traefik", forwarded(host, "/"))).status, 401, host);
    }
  });

  test("a broken cookie is nobody's cookie (security.md 5)", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open(`${GRAFANA}/`);
    const token = bob.jar("grafana.example.com").get("__Host-doorward-app");
    assert.ok(token);
    const broken = ["", "=", "__Host-doorward-app", "__Host-doorward-app=", `__Host-doorward-app=${token}x`, `__Host-doorward-app="${token}`, `__host-doorward-app=${token}`,
      `__Host-doorward-app=${token.slice(0, -1)}`, `\x7f__Host-doorward-app=${token}`, "a".repeat(5000), `__Host-doorward-app=${"%00".repeat(20)}`, ";;;==;;", `__Host-doorward-app=${token}, other=1`];
    for (const cookie of broken) {
      const answer = await world.doorward.get("/auth/traefik", forwarded("grafana.example.com", "/", [["Cookie", cookie]]));
      assert.ok(answer.status >= 300, `${cookie.slice(0, 60)} gave ${answer.status}`);
    }
  });

  test("the sign-in page sends nobody to an address that is not declared (security.md 12)", async (world) => {
    const bob = await world.signedIn("bob");
    const open = ["https://evil.example.org/", "https://grafana.example.com.evil.org/", "https://grafana.example.com@evil.org/", "//evil.org/", "/\\evil.org/", "https:evil.org",
      "https://grafana.example.com\\@evil.org/", "javascript:alert(1)", "http://grafana.example.com/", "https://vault.example.com/", "https://evil.org/%09", "https://grafana.example.com:8443/", "https://xgrafana.example.com/"];
    const start = new URL((await bob.step(`${GRAFANA}/`)).header("location"));
    const ask = (rd) => {
      start.searchParams.set("rd", rd);
      return bob.step(start.href);
    };
    assert.ok((await ask(`${GRAFANA}/fine?x=1`)).header("location")?.startsWith(`${GRAFANA}/.doorward/callback?`), "a declared address is gone to");
    for (const rd of open) {
      const answer = await ask(rd);
      const location = answer.header("location");
      if (!location) assert.ok(answer.status >= 400, `rd=${rd} gave ${answer.status}`);
      else assert.ok([AUTH, GRAFANA].includes(new URL(location, AUTH).origin), `rd=${rd} leads to ${location}`);
    }
  });

  test("a ticket works once, at its own host", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open(`${GRAFANA}/first`);
    const callback = bob.trail.map((hop) => hop.url).find((url) => url.includes("/.doorward/callback"));
    assert.ok(callback, `no callback in ${JSON.stringify(bob.trail)}`);
    const thief = world.visitor();
    await thief.open(callback);
    assert.equal(thief.jar("grafana.example.com").get("__Host-doorward-app"), undefined, "a used ticket gives no session");
    await thief.step(callback.replace("grafana.example.com", "vault.example.com"));
    assert.equal(thief.jar("vault.example.com").get("__Host-doorward-app"), undefined);
  });

  test("health says one word on the main listener", async (world) => {
    for (const path of ["/healthz", "/healthz/live"]) {
      const answer = await world.doorward.get(path);
      assert.equal(answer.status, 200, path);
      assert.match(answer.text.trim(), /^\w+$/, path);
    }
  });
});
