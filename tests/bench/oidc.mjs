// What programs ask of the OpenID provider, on SQLite and on PostgreSQL: `tests/bench/run oidc`.
import { createHash } from "node:crypto";
import { open, readFile, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { Scratch } from "../e2e/harness/scratch.mjs";
import { Visitor } from "../e2e/harness/visitor.mjs";
import { send } from "../e2e/harness/wire.mjs";
import { AUTH, PASSWORD, World } from "../e2e/harness/world.mjs";
import { startBare } from "./bare.mjs";
import { Postgres } from "./postgres.mjs";
import { grouped, option, table } from "./report.mjs";
import { LOAD_CORE, SERVER_CORE, load } from "./wrk.mjs";

const SECONDS = option("seconds", 4);
const ROUNDS = option("rounds", 3);
const SCRIPT = fileURLToPath(new URL("values.lua", import.meta.url));
const SECRET = "a-secret-of-the-bench-that-is-long";
const CALLBACK = "https://wiki.example.com/callback";
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE = createHash("sha256").update(VERIFIER).digest("base64url");
/** Grants whose tokens are asked about and refreshed. */
const GRANTS = 64;

const apps = (world) => `
service-account nightly "Nightly job"
app wiki "Wiki" {
    oidc {
        client-secret (file)"${world.scratch.path("secrets", "client")}"
        redirect-uri "${CALLBACK}"
        scopes openid profile email groups offline_access
        refresh-token days=30
        signing ES256
    }
    access { allow group:users }
}
${["ES256", "RS256"].map((signing) => `
app machine-${signing.toLowerCase()} "Machine" {
    oidc {
        client-secret (file)"${world.scratch.path("secrets", "client")}"
        grants client-credentials
        acts-as nightly
        scopes things:read
        signing ${signing}
    }
    access { allow service-account:nightly }
}`).join("")}
`;

const basic = (client) => ["Authorization", `Basic ${Buffer.from(`${client}:${SECRET}`).toString("base64")}`];
const form = (values) => new URLSearchParams(values).toString();
const EXCHANGE = form({ grant_type: "authorization_code", redirect_uri: CALLBACK, code_verifier: VERIFIER, code: "" });
const REFRESH = form({ grant_type: "refresh_token", refresh_token: "" });
const AUTHORIZE = `/oauth2/authorize?${form({
  client_id: "wiki", redirect_uri: CALLBACK, response_type: "code", scope: "openid profile email groups", state: "the state", nonce: "the nonce",
  prompt: "none", code_challenge: CHALLENGE, code_challenge_method: "S256",
})}`;
/** What a proxy says of a visitor, or of an application elsewhere. */
const FORWARDED = [["Host", new URL(AUTH).host], ["X-Forwarded-Proto", "https"], ["X-Forwarded-Host", new URL(AUTH).host], ["X-Forwarded-For", "203.0.113.7"]];

/** A server on one store, and somebody who is signed in. */
class Bench {
  static async start(state) {
    const bench = new Bench();
    bench.world = await World.start("bench-oidc", {
      apps, state, proxy: false, wrap: ["taskset", "-c", SERVER_CORE], before: (world) => world.secret("client", SECRET),
    });
    const { doorward } = bench.world;
    bench.pid = doorward.program.child.pid;
    bench.visitor = new Visitor({ port: doorward.port, tls: false, from: "127.1.1.1" });
    await bench.visitor.setPassword(await doorward.link("bob"), PASSWORD);
    await bench.visitor.open(`${AUTH}/`);
    await bench.visitor.signIn("bob", PASSWORD);
    return bench;
  }

  url(target) {
    return `http://${this.world.doorward.authority}${target}`;
  }

  file(name) {
    return this.world.scratch.path(name);
  }

  cookie() {
    return ["Cookie", this.visitor.cookieFor(`${AUTH}/oauth2/authorize`)];
  }

  load(target, headers, script = []) {
    return load(this.url(target), { headers: [...FORWARDED, ...headers], seconds: SECONDS, pid: this.pid, script });
  }

  /** One request by hand; anything but success ends the bench. */
  async ask(target, { headers = [], body } = {}) {
    const more = body === undefined ? [] : [["Content-Type", "application/x-www-form-urlencoded"]];
    const answer = await send({
      port: this.world.doorward.port, method: body === undefined ? "GET" : "POST", target, headers: [...FORWARDED, ...headers, ...more], body,
    });
    if (answer.status >= 400) throw new Error(`${target} answered ${answer.status}: ${answer.text}`);
    return answer;
  }

  /** Tokens of a grant, made as an application makes them. */
  async grant() {
    const told = await this.ask(AUTHORIZE, { headers: [this.cookie()] });
    const code = new URL(told.header("location")).searchParams.get("code");
    if (!code) throw new Error(`no code came: ${told.header("location")}`);
    return (await this.ask("/oauth2/token", { headers: [basic("wiki")], body: EXCHANGE + code })).json();
  }

  /** The tokens of `GRANTS` grants, a file for each kind; and a file with one empty value. */
  async supply() {
    await writeFile(this.file("nothing"), "\n");
    const made = [];
    for (let number = 0; number < GRANTS; number += 1) made.push(await this.grant());
    for (const kind of ["access_token", "refresh_token"]) await writeFile(this.file(kind), made.map((one) => `${one[kind]}\n`).join(""));
  }

  async stop() {
    await this.world.stop();
  }
}

/** Codes are brought for half as long as they were made, so that they do not run out. */
const exchangeSeconds = () => Math.max(1, Math.floor(SECONDS / 2));

/** A code is good for a minute and once: they are made at full speed and brought at once. */
async function codesAndExchanges(bench) {
  const codes = bench.file("codes");
  const made = await bench.load(AUTHORIZE, [bench.cookie()], [SCRIPT, "codes", codes, "GET"]);
  const count = (await readFile(codes, "latin1")).split("\n").length - 1;
  if (count < made.requests) throw new Error(`${made.requests} answers held ${count} codes`);
  const brought = await load(bench.url("/oauth2/token"), {
    headers: [...FORWARDED, basic("wiki")], seconds: exchangeSeconds(), pid: bench.pid, script: [SCRIPT, "once", codes, "POST", EXCHANGE],
  });
  return { "code for a signed-in browser": made, "code exchange": brought };
}

/** Everything once, by the name that the table gives it. */
async function round(bench) {
  await bench.supply();
  const post = (target, client, how, file, body) => bench.load(target, [basic(client)], [SCRIPT, how, bench.file(file), "POST", body]);
  const itself = form({ grant_type: "client_credentials", scope: "things:read" });
  return {
    "generator: posts to `/healthz/live`": await post("/healthz/live", "wiki", "again", "access_token", "token="),
    "client credentials, ES256": await post("/oauth2/token", "machine-es256", "again", "nothing", itself),
    "client credentials, RS256": await post("/oauth2/token", "machine-rs256", "again", "nothing", itself),
    "introspection": await post("/oauth2/introspect", "wiki", "again", "access_token", "token="),
    "userinfo": await bench.load("/oauth2/userinfo", [], [SCRIPT, "again", bench.file("access_token"), "GET"]),
    "refresh": await post("/oauth2/token", "wiki", "next", "refresh_token", REFRESH),
    ...(await codesAndExchanges(bench)),
  };
}

const BUDGETS = { "client credentials, ES256": 1_200 };

/** Rounds of everything; of each kind the fastest counts, since others may be at work on the machine. */
async function rounds(make) {
  const best = {};
  for (let number = 0; number < ROUNDS; number += 1) {
    for (const [name, one] of Object.entries(await make())) {
      if (one.refused) throw new Error(`${name}: ${one.refused} of ${one.requests} were refused`);
      if (!best[name] || one.rate > best[name].rate) best[name] = one;
    }
  }
  return best;
}

async function onStore(name, state) {
  const bench = await Bench.start(state);
  try {
    const best = await rounds(() => round(bench));
    console.log(`\n## OpenID endpoints on ${name}: one core for the server, 32 connections, best of ${ROUNDS} × ${SECONDS} s (codes ${exchangeSeconds()} s)`);
    table(["", "req/s", "budget", "CPU µs per request", "p50 ms", "p99 ms"], Object.entries(best).map(([kind, one]) => [
      kind, grouped(one.rate), BUDGETS[kind] ? `≥ ${grouped(BUDGETS[kind])}` : "–", one.cpu.toFixed(0), (one.p50 / 1_000).toFixed(2), (one.p99 / 1_000).toFixed(2),
    ]));
  } finally {
    await bench.stop();
  }
}

/** Documents that are the same for everybody, beside the bare handler. */
async function documents() {
  const bench = await Bench.start();
  const bare = await startBare("nobody");
  const known = [["Cookie", "__Host-doorward-app=nobody"]];
  try {
    await bench.supply();
    const best = await rounds(async () => ({
      "bare axum handler, known cookie": await load(bare.url, { headers: known, seconds: SECONDS, pid: bare.program.child.pid }),
      "`/healthz/live`": await bench.load("/healthz/live", []),
      "discovery": await bench.load("/.well-known/openid-configuration", []),
      "JWKS, two keys": await bench.load("/oauth2/jwks", []),
    }));
    const base = Object.values(best)[0];
    console.log(`\n## Documents from memory: one core for the server, 32 connections, best of ${ROUNDS} × ${SECONDS} s`);
    table(["", "req/s", "× bare", "CPU µs per request", "p50 µs", "p99 µs"], Object.entries(best).map(([kind, one]) => [
      kind, grouped(one.rate), (one.rate / base.rate).toFixed(2), one.cpu.toFixed(1), Math.round(one.p50), Math.round(one.p99),
    ]));
  } finally {
    await bare.program.stop();
    await bench.stop();
  }
}

/** How often a second this disk takes a page for good, one after another: more commits of one writer there cannot be. */
async function flushes() {
  const scratch = await Scratch.make("disk");
  const file = await open(scratch.path("page"), "w");
  const page = Buffer.alloc(4_096, 1);
  let done = 0;
  const start = performance.now();
  for (; performance.now() - start < 2_000; done += 1) {
    await file.write(page);
    await file.datasync();
  }
  await file.close();
  await scratch.remove();
  return done / 2;
}

async function main() {
  const [load1] = loadavg();
  console.log(`Machine: ${cpus().length} × ${cpus()[0].model.trim()}; server on core ${SERVER_CORE}, load on core ${LOAD_CORE}; load before the run ${load1.toFixed(2)}.`);
  console.log(`The disk takes ${grouped(await flushes())} pages of 4 KiB for good in a second, one after another.`);
  await documents();
  await onStore("SQLite");
  const postgres = await Postgres.start();
  if (!postgres) {
    console.log("\nPostgreSQL is not installed: left out.");
    return;
  }
  try {
    await onStore(`PostgreSQL ${postgres.version}, which shares the generator's core`, postgres.url);
  } finally {
    await postgres.stop();
  }
}

await main();
process.exit(0);
