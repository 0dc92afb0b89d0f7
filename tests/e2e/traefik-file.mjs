// The generated file as Traefik sees it.
import assert from "node:assert/strict";
import { suite } from "./harness/suite.mjs";
import { until } from "./harness/wait.mjs";
import { World, baseBlueprint } from "./harness/world.mjs";

const apps = (world) => `
app grafana "Grafana" {
    proxy "https://grafana.example.com" to="${world.echo.url}" { header X-Webauth-User "user.username"; bypass "/public/*" reason="shared by link" }
    traefik { middlewares secure-headers compress-all }
    access { allow group:users }
}
app lab "Lab" {
    proxy-domain "lab.example.com" to="${world.echo.url}" { hosts "*.lab.example.com" }
    access { allow group:users }
}
app label "Routed elsewhere" {
    proxy "https://label.example.com"
    access { allow group:users }
}
`;

const middlewares = `
    middleware secure-headers { headers { response X-Content-Type-Options nosniff } }
    raw #"""
        http:
          middlewares:
            compress-all:
              compress: {}
        """#
`;

const start = (name) => World.start(name, {
  apps,
  waitFor: "grafana.example.com",
  before: async (world) => {
    const token = await world.secret("traefik-pull", "a-token-for-traefik-to-pull-with");
    const base = baseBlueprint(world).replace("    forward-auth doorward\n", `    forward-auth doorward\n    serve "/traefik/dynamic.json" token=(file)"${token}"\n${middlewares}`);
    await world.doorward.write("base.kdl", base);
  },
});

suite("traefik-file", () => start("traefik-file"), (test) => {
  test("Traefik loads the file without a warning or an error", async (world) => {
    assert.deepEqual(world.traefik.complaints(), []);
    const routers = await world.traefik.routers();
    const ours = routers.filter((router) => router.provider === "file");
    assert.ok(ours.length >= 3, JSON.stringify(ours.map((router) => router.name)));
    for (const router of ours) {
      assert.equal(router.status, "enabled", `${router.name}: ${JSON.stringify(router.error)}`);
      assert.deepEqual(router.error ?? [], []);
      assert.ok(router.tls, `${router.name} speaks TLS`);
    }
    const known = (await world.traefik.ask("/api/http/middlewares?per_page=1000")).json();
    for (const one of known) assert.equal(one.status, "enabled", `${one.name}: ${JSON.stringify(one.error)}`);
    assert.ok(known.some((one) => one.name === "doorward@file" && one.type === "chain"));
  });

  test("the header names revision and digest, and nothing is left for Traefik's templates (R2)", async (world) => {
    const text = await world.doorward.traefikFile();
    const header = text.split("\n").filter((line) => line.startsWith("#")).join("\n");
    assert.match(header, /revision/i);
    assert.match(header, /digest|sha256/i);
    assert.ok(!text.includes("{{"));
  });

  test("the router of the sign-in host comes first, without the middleware and the decision endpoints", async (world) => {
    const routers = (await world.traefik.routers()).filter((router) => router.provider === "file");
    const external = routers.filter((router) => router.rule.includes("`auth.example.com`"));
    assert.ok(external.length >= 1);
    for (const router of external) assert.ok(!(router.middlewares ?? []).some((name) => name.startsWith("doorward@")), router.name);
    const text = await world.doorward.traefikFile();
    const first = text.indexOf("`auth.example.com`");
    assert.ok(first >= 0 && first < text.indexOf("`grafana.example.com`"));
  });

  test("every app route with an upstream runs the chain, and an app without one has no route", async (world) => {
    const routers = (await world.traefik.routers()).filter((router) => router.provider === "file");
    const grafana = routers.filter((router) => router.rule.includes("`grafana.example.com`"));
    const main = grafana.filter((router) => router.middlewares?.includes("doorward@file"));
    assert.equal(main.length, 1, JSON.stringify(grafana));
    assert.deepEqual(main[0].middlewares, ["doorward@file", "secure-headers@file", "compress-all@file"]);
    for (const router of grafana.filter((one) => one !== main[0])) {
      assert.match(router.rule, /doorward|outpost/, `${router.name} skips the middleware`);
      assert.ok(router.priority > main[0].priority, `${router.name} stands above`);
    }
    assert.ok(!routers.some((router) => router.rule.includes("label.example.com")));
    assert.equal((await world.visitor().step("https://label.example.com/")).status, 404);
  });

  test("the middleware lists every identity header that can be served, with its underscore alias", async (world) => {
    const text = await world.doorward.traefikFile();
    for (const name of ["Remote-User", "Remote-Groups", "Remote-Name", "Remote-Email", "X-Webauth-User"]) {
      assert.match(text, new RegExp(`\\b${name}\\b`, "i"), name);
      assert.match(text, new RegExp(`\\b${name.replaceAll("-", "_")}\\b`, "i"), `alias of ${name}`);
    }
  });

  test("declared and raw middlewares work on the way back", async (world) => {
    const bob = await world.signedIn("bob");
    const answer = await bob.open("https://grafana.example.com/");
    assert.equal(answer.status, 200);
    assert.equal(answer.header("x-content-type-options"), "nosniff");
  });

  test("the HTTP provider serves the same routes, with revision and digest as headers, to the holder of the token", async (world) => {
    const bare = await world.doorward.get("/traefik/dynamic.json");
    assert.ok([401, 403, 404].includes(bare.status), `without the token: ${bare.status}`);
    const answer = await world.doorward.get("/traefik/dynamic.json", [["Authorization", "Bearer a-token-for-traefik-to-pull-with"]]);
    assert.equal(answer.status, 200);
    const routers = Object.values(answer.json().http.routers).map((router) => router.rule);
    const file = (await world.traefik.routers()).filter((router) => router.provider === "file").map((router) => router.rule);
    assert.deepEqual(routers.sort(), file.sort());
    assert.ok(answer.rawHeaders.some(([name]) => /revision/i.test(name)) && answer.rawHeaders.some(([name]) => /digest|etag/i.test(name)), JSON.stringify(answer.rawHeaders));
  });

  test("the same blueprints give the same bytes after a restart", async (world) => {
    const before = await world.doorward.traefikFile();
    await world.doorward.stop();
    await world.doorward.start();
    assert.equal(await world.doorward.traefikFile(), before);
  });

  test("a reload of the file by a running Traefik gives no complaint either", async (world) => {
    await world.doorward.write("more.kdl", `app more "More" { proxy "https://more.example.com" to="${world.echo.url}"; access { allow group:users } }`);
    await until("Traefik to route the new app", async () => (await world.visitor().step("https://more.example.com/")).status === 302);
    await world.doorward.erase("more.kdl");
    await until("Traefik to drop it", async () => (await world.visitor().step("https://more.example.com/")).status === 404);
    assert.deepEqual(world.traefik.complaints().filter((entry) => !/connection refused/.test(entry.error ?? "")), []);
  });
});
