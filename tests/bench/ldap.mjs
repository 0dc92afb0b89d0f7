// The directory beside OpenLDAP's slapd with the same people: `tests/bench/run ldap`.
import { cpus, loadavg } from "node:os";
import { Directory, NAS, READER, crowd, person } from "../e2e/harness/directory.mjs";
import { run } from "../e2e/harness/program.mjs";
import { PASSWORD } from "../e2e/harness/world.mjs";
import { grouped, option, table } from "./report.mjs";
import { Slapd } from "./slapd.mjs";
import { LOAD_CORE, SERVER_CORE, cpuSeconds, residentKib } from "./wrk.mjs";

const SECONDS = option("seconds", 4);
const ROUNDS = option("rounds", 3);
const CROWD = 10_000;
const ATTRIBUTES = ["objectClass", "uid", "cn", "sn", "givenName", "displayName", "mail", "memberOf", "uidNumber", "gidNumber", "homeDirectory", "loginShell", "gecos"];
/** Who binds again and again. */
const BOUND = "p00001";
/** Another, whose password slapd keeps as a salted SHA-1. */
const PLAINER = "p00002";

/** Loads a server: what the driver says of it, and the time of the processor for each. */
async function load(server, kind, connections, who = { name: server.reader, secret: server.secret }) {
  const env = { LDAP_URL: server.url, LDAP_BASE: NAS, LDAP_NAME: who.name, LDAP_SECRET: who.secret, PEOPLE: String(server.people) };
  const before = await cpuSeconds(server.pid);
  const done = await run("taskset", ["-c", LOAD_CORE, process.env.LDAP_LOAD_BIN, kind, String(connections), String(SECONDS)], { env, limit: 120_000 });
  if (done.code !== 0) throw new Error(`${kind} at ${server.name}: ${done.stderr}${done.stdout}`);
  const told = JSON.parse(done.stdout);
  return { ...told, cpu: ((await cpuSeconds(server.pid)) - before) / told.count };
}

/** Everything once, by the name that the table gives it. */
const KINDS = {
  "all 10,000 people in pages of 500": (server) => load(server, "pages", 1),
  "`(uid=…)`, one connection": (server) => load(server, "equality", 1),
  "`(uid=…)`, 16 connections": (server) => load(server, "equality", 16),
  "bind, one connection": (server) => load(server, "binds", 1, server.bound),
  "bind, 16 connections": (server) => load(server, "binds", 16, server.bound),
};

/** Of each kind the fastest counts, since others may be at work on the machine; the servers take turns. */
async function rounds(servers) {
  const best = new Map(servers.map((server) => [server, {}]));
  for (let number = 0; number < ROUNDS; number += 1) {
    for (const [name, measure] of Object.entries(KINDS)) {
      for (const server of servers.filter((server) => server.kinds(name))) {
        const one = await measure(server);
        const kept = best.get(server);
        if (!kept[name] || one.rate > kept[name].rate) kept[name] = one;
      }
    }
  }
  return best;
}

const hash = async (...scheme) => {
  const made = await run("slappasswd", ["-o", "module-path=/usr/lib/ldap", "-o", "module-load=argon2", ...scheme, "-s", PASSWORD, "-n"]);
  if (made.code !== 0) throw new Error(`slappasswd failed: ${made.stderr}`);
  return made.stdout.trim();
};

async function main() {
  const [load1] = loadavg();
  console.log(`Machine: ${cpus().length} × ${cpus()[0].model.trim()}; server on core ${SERVER_CORE}, load on core ${LOAD_CORE}; load before the run ${load1.toFixed(2)}.`);
  const directory = await Directory.start("bench-ldap", { people: crowd(CROWD), wrap: ["taskset", "-c", SERVER_CORE] });
  let slapd;
  try {
    await directory.hasPassword(BOUND);
    const everybody = await directory.search(["-b", `ou=people,${NAS}`, "-s", "one", "-E", "pr=500/noprompt", ...ATTRIBUTES]);
    if (everybody.code !== 0) throw new Error(everybody.stderr);
    const passwords = { [BOUND]: await hash("-h", "{ARGON2}"), [PLAINER]: await hash("-h", "{SSHA}") };
    const people = everybody.stdout.replace(/^uid: (p0000[12])$/gm, (line, name) => `${line}\nuserPassword: ${passwords[name]}`).replace(/^# .*\n/gm, "");
    slapd = await Slapd.start({ base: NAS, people, secret: directory.token });
    const common = { people: everybody.names.length, secret: directory.token };
    const servers = [
      { ...common, name: "Doorward", url: directory.url, reader: READER, pid: directory.world.doorward.program.child.pid, kinds: () => true, bound: { name: person(BOUND), secret: PASSWORD } },
      { ...common, name: `slapd ${slapd.version}`, url: slapd.url, reader: slapd.reader, pid: slapd.program.child.pid, kinds: () => true, bound: { name: person(PLAINER), secret: PASSWORD } },
      { ...common, name: "slapd, {ARGON2}", url: slapd.url, reader: slapd.reader, pid: slapd.program.child.pid, kinds: (name) => name.startsWith("bind"), bound: { name: person(BOUND), secret: PASSWORD } },
    ];
    const best = await rounds(servers);
    console.log(`\n## ${grouped(common.people)} people: one core for the server, best of ${ROUNDS} × ${SECONDS} s; slapd keeps {SSHA} unless a line says otherwise`);
    const rows = Object.keys(KINDS).flatMap((kind) => servers.filter((server) => best.get(server)[kind]).map((server) => {
      const one = best.get(server)[kind];
      return [kind, server.name, one.rate < 100 ? one.rate.toFixed(1) : grouped(one.rate), grouped(one.cpu * 1e6), one.p50.toFixed(2), one.p99.toFixed(2)];
    }));
    table(["", "server", "a second", "CPU µs for each", "p50 ms", "p99 ms"], rows);
    table(["", ...servers.slice(0, 2).map((server) => server.name)], [["resident after the load", ...(await Promise.all(servers.slice(0, 2).map(async ({ pid }) => `${((await residentKib(pid)) / 1_024).toFixed(1)} MiB`)))]]);
  } finally {
    await slapd?.stop();
    await directory.stop();
  }
}

await main();
process.exit(0);
