// Runs end-to-end tests: `node run.mjs [SET…] [--only TEXT]`. Without names every set runs that needs no program but
// Traefik and Chromium.
import { existsSync } from "node:fs";
import { runAll } from "./harness/suite.mjs";

const TRAEFIK_SETS = ["sign-in", "decision", "reload", "websocket", "spoofing", "paths", "siblings", "traefik-file", "guide", "hosts", "dev", "theme", "doctor", "tokens", "second-factor", "account", "people", "oidc", "sources"];
const MORE_SETS = ["proxies", "parties", "applications", "ldap", "ldap-libraries", "sssd"];

const args = process.argv.slice(2);
const at = args.indexOf("--only");
const [, only = ""] = at < 0 ? [] : args.splice(at, 2);
const names = args.length ? args.map((name) => name.replace(/^.*\/|\.mjs$/g, "")) : TRAEFIK_SETS;

for (const name of names) {
  const file = new URL(`./${name}.mjs`, import.meta.url);
  if (!existsSync(file)) {
    console.error(`there is no set "${name}"; known: ${[...TRAEFIK_SETS, ...MORE_SETS].join(", ")}`);
    process.exit(2);
  }
  await import(file.href);
}

const { passed, failed } = await runAll({ only });
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed || !passed ? 1 : 0);
