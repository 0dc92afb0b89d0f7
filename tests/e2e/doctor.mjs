// `doorward doctor` beside a real Traefik: silent where all is well, and with the line to write where it is not.
import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BINARY } from "./harness/doorward.mjs";
import { run } from "./harness/program.mjs";
import { suite } from "./harness/suite.mjs";
import { until } from "./harness/wait.mjs";
import { send } from "./harness/wire.mjs";
import { World, baseBlueprint } from "./harness/world.mjs";

const apps = (world) => `
app wiki "Wiki" {
    proxy "https://wiki.localhost:${world.ports.websecure}" to="${world.echo.url}"
    access { allow group:users }
}
`;

/** Names that every machine resolves, and a listener that the files name. */
async function start() {
  return World.start("doctor", {
    apps,
    waitFor: "wiki.localhost",
    before: async (world) => {
      const base = baseBlueprint(world, { external: `https://auth.localhost:${world.ports.websecure}`, entrypoints: "websecure" });
      await world.doorward.write("base.kdl", base.replace("server {", `server {\n    listen "${world.doorward.authority}"`));
    },
  });
}

/** Runs the doctor, who trusts the certificate of the tests: `{ code, findings, text }`. */
async function doctor(world, ...more) {
  const env = { SSL_CERT_FILE: world.certificate.cert };
  const args = ["doctor", "--traefik-api", `http://127.0.0.1:${world.ports.api}`, ...more, ...world.doorward.common()];
  const [text, json] = await Promise.all([args, [...args, "--json"]].map((each) => run(BINARY, each, { env, cwd: world.scratch.dir })));
  const report = JSON.parse(json.stdout);
  assert.equal(report.schema, "doorward.doctor/1");
  assert.equal(text.code, json.code);
  return { code: text.code, bad: report.findings.filter((finding) => finding.level !== "ok"), report, text: text.stdout };
}

/** Adds a file of the person's own to Traefik's, for the time of `act`. */
async function withFile(world, yaml, router, act) {
  const path = join(world.doorward.dynamic, "own.yml");
  await writeFile(path, yaml);
  const has = async () => (await world.traefik.routers()).some((each) => each.name === router);
  try {
    await until(`Traefik to have ${router}`, has);
    return await act();
  } finally {
    await rm(path);
    await until(`Traefik to have lost ${router}`, async () => !(await has()));
  }
}

const side = (world, rule, more = "") => `
http:
  routers:
    side: { rule: "${rule}", entryPoints: [websecure], service: side, tls: {}${more} }
  services:
    side: { loadBalancer: { servers: [{ url: "${world.echo.url}" }] } }
`;

suite("doctor", start, (test) => {
  test("where all is well nothing is found", async (world) => {
    const { code, bad, report, text } = await doctor(world);
    assert.deepEqual(bad, [], text);
    assert.equal(code, 0, text);
    assert.deepEqual([report.warnings, report.errors], [0, 0]);
    assert.equal(report.ok, report.findings.length);
    assert.match(text, /1 application hosts stand behind the middleware/);
  });

  test("a router past the middleware is found with the line to write", async (world) => {
    const rules = ["Host(`wiki.localhost`) && PathPrefix(`/api`)", "PathPrefix(`/`)", "PathPrefix(`/api`)", "HostRegexp(`.+`)", "Host(`other.localhost`) || PathPrefix(`/x`)"];
    for (const rule of rules) {
      await withFile(world, side(world, rule), "side@file", async () => {
        const { code, bad: all, text } = await doctor(world);
        assert.equal(code, 1, `${rule}\n${text}`);
        // A door to everything also answers at the sign-in host, where our own router leaves a path free.
        const bad = all.filter((finding) => finding.topic !== "external-host");
        assert.equal(bad.length, 1, `${rule}\n${text}`);
        assert.deepEqual([bad[0].level, bad[0].topic, bad[0].at], ["error", "traefik", "apps.kdl:3"], rule);
        assert.match(bad[0].what, /reached without the middleware.*\(router side@file\)/);
        assert.match(bad[0].change, /^side:\n {2}middlewares: \["doorward@file"\]/);
        assert.ok(text.includes(bad[0].what) && text.includes("apps.kdl:3"), text);
      });
    }
  });

  test("the side door that it finds is one", async (world) => {
    const knock = () => send({ port: world.ports.websecure, tls: true, servername: "wiki.localhost", target: "/secret", headers: [["Host", "nobody.invalid"], ["Connection", "close"]] });
    assert.equal((await knock()).status, 404);
    await withFile(world, side(world, "PathPrefix(`/`)"), "side@file", async () => {
      assert.equal((await knock()).json().url, "/secret");
    });
  });

  test("a router behind the middleware, or to another program, is fine", async (world) => {
    await withFile(world, side(world, "PathPrefix(`/`)", ', middlewares: ["doorward@file"]'), "side@file", async () => {
      const { code, bad, text } = await doctor(world);
      assert.deepEqual([code, bad], [0, []], text);
    });
    const elsewhere = side(world, "PathPrefix(`/.well-known/acme-challenge/`)").replace(world.echo.url, "http://127.0.0.1:1");
    await withFile(world, elsewhere, "side@file", async () => {
      const { code, bad, text } = await doctor(world);
      assert.deepEqual([code, bad], [0, []], text);
    });
  });

  test("a middleware file that lacks a header is found, and the generated one is not", async (world) => {
    const generated = await world.doorward.traefikFile();
    const path = world.scratch.path("own-middleware.yml");
    const judge = async (text) => {
      await writeFile(path, text);
      return doctor(world, "--middleware", path);
    };
    const whole = await judge(generated);
    assert.deepEqual([whole.code, whole.bad], [0, []], whole.text);
    const without = generated.replace(/^\s*-\s*"?Remote-Groups"?\s*$\n/m, "").replace(/"Remote-Groups",\s*/, "");
    assert.notEqual(without, generated, "the list holds the header");
    const { code, bad, text } = await judge(without);
    assert.equal(code, 1, text);
    assert.deepEqual(bad.map((finding) => [finding.level, finding.topic]), [["error", "middleware"]], text);
    assert.match(bad[0].what, /does not list Remote-Groups$/);
    assert.match(bad[0].change, /authResponseHeaders:\n {2}- "Remote-Groups"/);
  });
});
