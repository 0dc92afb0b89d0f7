// Forward-auth decisions, memory and times: `tests/bench/run decisions`.
import { writeFile } from "node:fs/promises";
import https from "node:https";
import { cpus } from "node:os";
import { run } from "../e2e/harness/program.mjs";
import { until } from "../e2e/harness/wait.mjs";
import { Visitor } from "../e2e/harness/visitor.mjs";
import { AUTH, PASSWORD, World } from "../e2e/harness/world.mjs";
import { startBare } from "./bare.mjs";
import { grouped, median, option, table } from "./report.mjs";
import { LOAD_CORE, SERVER_CORE, load, residentKib } from "./wrk.mjs";

const SECONDS = option("seconds", 5);
const ROUNDS = option("rounds", 3);
const APPS = option("apps", 500);

const app = (world, slug, who) => `
app ${slug} "${slug}" {
    proxy "https://${slug}.example.com" to="${world.echo.url}"
    access { allow ${who} }
}
`;
/** Each client has an account of its own: at one account, no more than ten guesses are under way at once. */
const CLIENTS = 32;
const client = (number) => `client-${number}`;
const people = Array.from({ length: CLIENTS }, (_, number) => `user ${client(number)} { in users }\n`).join("");
const apps = (world) => app(world, "open", "group:users") + app(world, "closed", "group:admins") + people;

const mib = (kib) => `${(kib / 1024).toFixed(1)} MiB`;

/** What Traefik would send for a GET of `/` at `host`. */
const forwarded = (host, cookie) => [
  ["X-Forwarded-Method", "GET"], ["X-Forwarded-Proto", "https"], ["X-Forwarded-Host", host], ["X-Forwarded-Uri", "/"], ["X-Forwarded-For", "203.0.113.7"],
  ["X-Forwarded-Port", "443"], ["X-Forwarded-Server", "proxy"], ["Accept", "*/*"], ["Accept-Encoding", "gzip"], ["User-Agent", "Mozilla/5.0 (X11; Linux x86_64) bench"],
  ...(cookie ? [["Cookie", `theme=dark; ${cookie}`]] : []),
];

/** Decisions beside the bare handler, in turns, so that a busy machine is busy for both. */
async function decisions(world) {
  const bob = await world.signedIn("bob");
  for (const host of ["open", "closed"]) await bob.open(`https://${host}.example.com/`);
  const cookie = { open: bob.cookieFor("https://open.example.com/"), closed: bob.cookieFor("https://closed.example.com/") };
  const bare = await startBare(bob.jar("open.example.com").get("__Host-doorward-app"));
  const ours = { url: `http://${world.doorward.authority}/auth/traefik`, pid: world.doorward.program.child.pid };
  const kinds = [
    { name: "bare axum handler, known cookie", url: bare.url, pid: bare.program.child.pid, headers: forwarded("open.example.com", cookie.open), ok: true },
    { name: "known session, allowed", ...ours, headers: forwarded("open.example.com", cookie.open), ok: true },
    { name: "known session, denied (page)", ...ours, headers: forwarded("closed.example.com", cookie.closed), ok: false },
    { name: "anonymous (401)", ...ours, headers: forwarded("open.example.com"), ok: false },
    { name: "anonymous navigation (302)", ...ours, headers: [...forwarded("open.example.com").filter(([name]) => name !== "Accept"), ["Accept", "text/html"], ["Sec-Fetch-Mode", "navigate"]], ok: true },
  ];
  const idle = await residentKib(ours.pid);
  for (const kind of kinds) await load(kind.url, { headers: kind.headers, seconds: 1 });
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const kind of kinds) (kind.runs ??= []).push(await load(kind.url, { ...kind, seconds: SECONDS }));
  }
  for (const kind of kinds) {
    const refused = kind.runs.reduce((sum, one) => sum + one.refused, 0);
    if (kind.ok === refused > 0) throw new Error(`${kind.name}: ${refused} refusals`);
  }
  const of = (kind, what) => median(kind.runs.map((one) => one[what]));
  const base = { rate: of(kinds[0], "rate"), cpu: of(kinds[0], "cpu") };
  console.log(`\n## Forward-auth decision: one core for the server, 32 connections, median of ${ROUNDS} × ${SECONDS} s`);
  table(["", "req/s", "× bare", "CPU µs per request", "× bare", "p50 µs", "p99 µs"], kinds.map((kind) => [
    kind.name, grouped(of(kind, "rate")), (of(kind, "rate") / base.rate).toFixed(2), of(kind, "cpu").toFixed(1), (base.cpu / of(kind, "cpu")).toFixed(2), Math.round(of(kind, "p50")), Math.round(of(kind, "p99")),
  ]));
  const answered = kinds.slice(3).flatMap((kind) => kind.runs).reduce((sum, one) => sum + one.requests, 0);
  await bare.program.stop();
  return { idle, peak: Math.max(...kinds.slice(1).flatMap((kind) => kind.runs.map((one) => one.peak))), after: await residentKib(ours.pid), answered, bob };
}

/** Signs in again and again until `stop.now`; each time from another address, as strangers do. */
async function signInAgain(world, worker, stop) {
  let done = 0;
  for (let turn = 0; !stop.now; turn += 1) {
    const visitor = new Visitor({ port: world.doorward.port, tls: false, from: `127.1.${1 + worker}.${1 + (turn % 250)}` });
    await visitor.open(`${AUTH}/sign-in`);
    await visitor.signIn(client(worker), PASSWORD);
    if (!visitor.cookieFor(`${AUTH}/`).includes("doorward=")) throw new Error(`nobody was signed in: ${visitor.page.status}`);
    done += 1;
  }
  return done;
}

/** Decisions for a known session beside a storm of password sign-ins; memory while it lasts. */
async function storm(world, bob) {
  const ours = { url: `http://${world.doorward.authority}/auth/traefik`, pid: world.doorward.program.child.pid };
  const asked = { ...ours, connections: 4, seconds: SECONDS, headers: forwarded("open.example.com", bob.cookieFor("https://open.example.com/")) };
  for (let number = 0; number < CLIENTS; number += 1) await world.hasPassword(client(number));
  const alone = { now: false };
  const first = signInAgain(world, 0, alone);
  await new Promise((rested) => setTimeout(rested, SECONDS * 1_000));
  alone.now = true;
  const one = (await first) / SECONDS;
  const idle = await residentKib(ours.pid);
  const calm = await load(asked.url, asked);
  const rows = [["no sign-ins", calm, 0]];
  for (const clients of [8, CLIENTS]) {
    const stop = { now: false };
    const workers = Array.from({ length: clients }, (_, worker) => signInAgain(world, worker, stop));
    const during = await load(asked.url, asked);
    stop.now = true;
    const signIns = (await Promise.all(workers)).reduce((sum, each) => sum + each, 0);
    if (during.refused) throw new Error(`${during.refused} decisions were refused in the storm`);
    rows.push([`${clients} clients signing in`, during, signIns / SECONDS]);
  }
  console.log(`\n## A storm of password sign-ins: one core for the server; alone, one client signs in ${one.toFixed(1)} times a second; ${mib(idle)} before`);
  table(["", "decisions/s", "p50 ms", "p99 ms", "sign-ins/s", "peak"], rows.map(([name, run, rate]) => [
    name, grouped(run.rate), (run.p50 / 1_000).toFixed(2), (run.p99 / 1_000).toFixed(2), rate.toFixed(1), mib(run.peak),
  ]));
}

/** What the middleware adds to a request through Traefik, on one connection. */
async function throughTraefik(world, bob) {
  const host = "open.example.com";
  const time = async (target, headers) => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
    const times = [];
    for (let number = 0; number < 3_000; number += 1) {
      const start = performance.now();
      await new Promise((done, fail) => https.get({ host: "127.0.0.1", port: world.ports.websecure, servername: target, path: "/", headers: { ...headers, Host: target }, agent, rejectUnauthorized: false }, (response) => {
        if (response.statusCode !== 200) fail(new Error(`${target} answered ${response.statusCode}`));
        response.resume().on("end", done);
      }).on("error", fail));
      if (number >= 500) times.push(performance.now() - start);
    }
    agent.destroy();
    return median(times);
  };
  const bare = await time("plain.example.com", {});
  const asked = await time(host, { Cookie: bob.cookieFor(`https://${host}/`) });
  console.log("\n## Through a real Traefik, one connection, p50");
  table(["without the middleware", "with it", "added"], [[`${bare.toFixed(3)} ms`, `${asked.toFixed(3)} ms`, `${(asked - bare).toFixed(3)} ms`]]);
}

/** Milliseconds from the start of the process to the first good answer, on the store as it is. */
async function startTimes(world) {
  const times = [];
  for (let round = 0; round < 9; round += 1) {
    await world.doorward.stop();
    const start = performance.now();
    await world.doorward.start();
    times.push(performance.now() - start);
  }
  return times;
}

/** `check` and reload with many generated apps. */
async function manyApps(world, bob) {
  const many = Array.from({ length: APPS }, (_, number) => `
app generated-${number} "Generated ${number}" category="Group ${number % 20}" {
    proxy "https://g${number}.example.com" to="http://10.0.20.${number % 250}:${3000 + number}" { bypass "/public/*" reason="shared by link" }
    access { deny group:guests path="/admin/*"; allow group:admins group:users }
}`).join("");
  await world.doorward.write("many.kdl", many);
  await until("500 apps to be served", async () => (await world.doorward.get("/auth/traefik", forwarded("g499.example.com"))).status === 401, { limit: 30_000 });
  const checks = [];
  for (let round = 0; round < 7; round += 1) {
    const start = performance.now();
    const done = await run("taskset", ["-c", SERVER_CORE, process.env.DOORWARD_BIN, "check", world.doorward.blueprints]);
    checks.push(performance.now() - start);
    if (done.code !== 0) throw new Error(`check failed: ${done.stdout}${done.stderr}`);
  }
  const reloads = [];
  const cookie = bob.cookieFor("https://open.example.com/");
  for (let round = 0; round < 8; round += 1) {
    const [who, status] = round % 2 ? ["group:users", 200] : ["group:admins", 403];
    const renamed = await world.doorward.write("apps.kdl", app(world, "open", who) + app(world, "closed", "group:admins") + people);
    await until("the new decision", async () => (await world.doorward.get("/auth/traefik", forwarded("open.example.com", cookie))).status === status, { every: 1, limit: 20_000 });
    reloads.push(performance.now() - renamed);
  }
  return { checks, reloads, memory: await residentKib(world.doorward.program.child.pid) };
}

const plainRoute = (world) => `
http:
  routers:
    plain: { rule: "Host(\`plain.example.com\`)", entryPoints: [websecure], tls: {}, service: plain }
  services:
    plain: { loadBalancer: { servers: [{ url: "${world.echo.url}" }] } }
`;

async function main() {
  const world = await World.start("bench", {
    apps, wrap: ["taskset", "-c", SERVER_CORE], waitFor: "plain.example.com",
    before: (made) => writeFile(`${made.doorward.dynamic}/plain.yml`, plainRoute(made)),
  });
  try {
    console.log(`Machine: ${cpus().length} × ${cpus()[0].model.trim()}; server on core ${SERVER_CORE}, load on core ${LOAD_CORE}.`);
    const { idle, peak, after, answered, bob } = await decisions(world);
    await throughTraefik(world, bob);
    await storm(world, bob);
    const starts = await startTimes(world);
    const fresh = await residentKib(world.doorward.program.child.pid);
    const many = await manyApps(world, bob);
    const row = (name, value, budget) => [name, value, budget];
    const spread = (list) => `${median(list).toFixed(1)} ms (worst ${Math.max(...list).toFixed(1)})`;
    console.log("\n## Memory and time");
    table(["", "measured", "budget"], [
      row("resident after start", mib(fresh), "30 MiB"), row("resident before the load", mib(idle), "30 MiB"), row("resident under load, peak", mib(peak), "64 MiB"),
      row(`resident after the load (${grouped(answered)} anonymous requests)`, mib(after), "flat"), row(`resident with ${APPS} apps`, mib(many.memory), "64 MiB"),
      row("start to ready, existing store", spread(starts), "50 ms"), row(`check of ${APPS} apps`, spread(many.checks), "100 ms"), row(`edit to new decision, ${APPS} apps`, spread(many.reloads), "250 ms"),
    ]);
  } finally {
    await world.stop();
  }
}

await main();
process.exit(0);
