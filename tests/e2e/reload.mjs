// Editing blueprints under load: the next decision, the last good state, apps that go and come back.
import assert from "node:assert/strict";
import { rename } from "node:fs/promises";
import https from "node:https";
import { note, suite } from "./harness/suite.mjs";
import { pause, until } from "./harness/wait.mjs";
import { World } from "./harness/world.mjs";

const GRAFANA = "https://grafana.example.com";

const app = (world, slug, rule) => `
app ${slug} "${slug}" {
    proxy "https://${slug}.example.com" to="${world.echo.url}"
    access { ${rule} }
}
`;
const apps = (world) => app(world, "grafana", "allow group:users") + app(world, "steady", "allow group:users");

/** The answer of the decision endpoint to a visitor at an app, without the proxy in between. */
function decision(world, visitor, host) {
  return world.doorward.get("/auth/traefik", [
    ["X-Forwarded-Method", "GET"], ["X-Forwarded-Proto", "https"], ["X-Forwarded-Host", host], ["X-Forwarded-Uri", "/"], ["X-Forwarded-For", "203.0.113.7"],
    ["Cookie", visitor.cookieFor(`https://${host}/`)],
  ]);
}

/** Asks until the decision is `status`; returns the milliseconds since `since`. */
async function decided(world, visitor, host, status, since) {
  await until(`${host} to be answered ${status}`, async () => (await decision(world, visitor, host)).status === status, { every: 2, limit: 10_000 });
  return performance.now() - since;
}

/** A constant load of keep-alive requests through Traefik; `stop()` returns how often each outcome was seen. */
function load(world, visitor, host, workers = 4) {
  const agent = new https.Agent({ keepAlive: true, maxSockets: workers });
  const outcomes = {};
  let running = true;
  const one = () => new Promise((done) => {
    const headers = { Host: host, Cookie: visitor.cookieFor(`https://${host}/`), Accept: "*/*" };
    const request = https.get({ host: "127.0.0.1", port: world.ports.websecure, servername: host, path: "/", headers, agent, rejectUnauthorized: false }, (response) => {
      response.resume();
      response.on("end", () => done(response.statusCode));
      response.on("error", () => done("broken"));
    });
    request.setTimeout(5_000, () => request.destroy(new Error("timeout")));
    request.on("error", (error) => done(error.code ?? error.message));
  });
  const work = Array.from({ length: workers }, async () => {
    while (running) {
      const outcome = await one();
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      await pause(2);
    }
  });
  const count = () => Object.values(outcomes).reduce((sum, one) => sum + one, 0);
  return {
    /** Waits until `more` further requests have been answered. */
    async flows(more) {
      const goal = count() + more;
      await until(`${more} more answers under load`, () => count() >= goal, { every: 5 });
    },
    async stop() {
      running = false;
      await Promise.all(work);
      agent.destroy();
      return outcomes;
    },
  };
}

/** Bob with a session at both apps, and the files as they were at first. */
async function bobAsAtFirst(world) {
  if (!world.doorward.program.alive) await world.doorward.start();
  await world.doorward.write("apps.kdl", apps(world));
  await world.doorward.settled(200);
  await until("Traefik to route to both apps", async () => (await world.visitor().step(`${GRAFANA}/`)).status === 302);
  const bob = await world.signedIn("bob");
  for (const host of ["grafana", "steady"]) assert.equal((await bob.open(`https://${host}.example.com/`)).status, 200);
  return bob;
}

suite("reload", () => World.start("reload", { apps, waitFor: "grafana.example.com" }), (test) => {
  test("an edit decides the next request, and none is dropped meanwhile", async (world) => {
    const bob = await bobAsAtFirst(world);
    const steady = load(world, bob, "steady.example.com");
    const times = [];
    try {
      for (let round = 0; round < 5; round += 1) {
        await steady.flows(40);
        const [rule, status] = round % 2 ? ["allow group:users", 200] : ["allow group:admins", 403];
        const renamed = await world.doorward.write("apps.kdl", app(world, "grafana", rule) + app(world, "steady", "allow group:users"));
        times.push(Math.round(await decided(world, bob, "grafana.example.com", status, renamed)));
      }
    } finally {
      const outcomes = await steady.stop();
      note(`under load: ${JSON.stringify(outcomes)}; rename to new decision: ${times.join(", ")} ms`);
      assert.deepEqual(Object.keys(outcomes), ["200"], "every request of the steady app was answered 200");
      assert.ok(outcomes[200] > 50, "the load was a load");
    }
    // In force before the next test begins, which relies on these files.
    await decided(world, bob, "grafana.example.com", 200, await world.doorward.write("apps.kdl", apps(world)));
    assert.ok(Math.min(...times) <= 250, `the best of five edits took ${Math.min(...times)} ms`);
    assert.ok(Math.max(...times) <= 2_000, `the worst of five edits took ${Math.max(...times)} ms`);
  });

  test("a broken edit leaves the last good state, loudly", async (world) => {
    const bob = await bobAsAtFirst(world);
    for (const broken of [`app grafana "Grafana" {`, app(world, "grafana", "allow group:nobody-declared-this"), `app grafana "x" { proxy "https://grafana.example.com" to="${world.echo.url}" }`]) {
      await world.doorward.write("apps.kdl", broken);
      await world.doorward.settled(503);
      assert.equal((await decision(world, bob, "grafana.example.com")).status, 200);
      assert.equal((await decision(world, bob, "steady.example.com")).status, 200);
      assert.equal((await world.doorward.get("/healthz")).status, 200, "the server itself is well");
      await world.doorward.write("apps.kdl", apps(world));
      await world.doorward.settled(200);
    }
    assert.match((await world.doorward.getMetrics("/metrics")).text, /^doorward_config_in_sync(\{.*\})? 1$/m);
  });

  test("the last good state survives a restart with broken files", async (world) => {
    const bob = await bobAsAtFirst(world);
    await world.doorward.write("apps.kdl", `app grafana "Grafana" {`);
    await world.doorward.settled(503);
    await world.doorward.stop();
    await world.doorward.start();
    assert.equal((await decision(world, bob, "grafana.example.com")).status, 200, "the session and the rules are still there");
    assert.equal((await world.doorward.getMetrics("/healthz/config")).status, 503);
    await world.doorward.write("apps.kdl", apps(world));
    await world.doorward.settled(200);
  });

  test("an app that is deleted is gone, and its sessions with it, until it comes back", async (world) => {
    const bob = await bobAsAtFirst(world);
    const old = bob.cookieFor(GRAFANA);
    assert.ok(old);
    await world.doorward.write("apps.kdl", app(world, "steady", "allow group:users"));
    await until("the router to leave the Traefik file", async () => !(await world.doorward.traefikFile()).includes("grafana.example.com"));
    assert.equal((await decision(world, bob, "grafana.example.com")).status, 404);
    await until("Traefik to drop the router", async () => (await bob.fetch(`${GRAFANA}/`)).status === 404);
    assert.equal((await decision(world, bob, "steady.example.com")).status, 200);
    await world.doorward.write("apps.kdl", apps(world));
    await until("the router to come back", async () => (await world.doorward.traefikFile()).includes("grafana.example.com"));
    assert.equal((await decision(world, bob, "grafana.example.com")).status, 401, "the old session stays ended");
    await until("Traefik to route again", async () => (await world.visitor().step(`${GRAFANA}/`)).status === 302);
    assert.equal((await bob.open(`${GRAFANA}/`)).status, 200, "the sign-in session opens it again");
  });

  test("a directory that vanishes is not taken for empty", async (world) => {
    const bob = await bobAsAtFirst(world);
    await rename(world.doorward.blueprints, `${world.doorward.blueprints}.away`);
    await world.doorward.settled(503);
    assert.equal((await decision(world, bob, "grafana.example.com")).status, 200);
    await rename(`${world.doorward.blueprints}.away`, world.doorward.blueprints);
    await world.doorward.settled(200);
  });
});
