// A directory for LDAP clients of others: people, an app that binds, a certificate of an authority made on the spot.
import { homedir } from "node:os";
import { join } from "node:path";
import { makeAuthority } from "./certificate.mjs";
import { run } from "./program.mjs";
import { freePorts } from "./scratch.mjs";
import { until } from "./wait.mjs";
import { PASSWORD, World } from "./world.mjs";
import { Visitor } from "./visitor.mjs";

const BUILT = process.env.LDAP_CLIENTS_DIR ?? join(homedir(), ".cache/doorward-tests/ldap-clients");

/** A client that `clients/build.sh` built. */
export const client = (...name) => join(BUILT, ...name);

export const BASE = "dc=example,dc=com";
/** The tree of the app `nas`, which alice and bob may enter and mallory may not. */
export const NAS = `ou=nas,${BASE}`;
/** Who searches: the service account of the app. */
export const READER = `cn=reader,ou=services,${BASE}`;

export const person = (name, tree = NAS) => `uid=${name},ou=people,${tree}`;
export const group = (name, tree = NAS) => `cn=${name},ou=groups,${tree}`;

const blueprint = (directory, profile) => `
ldap {
    listen "127.0.0.1:${directory.port}"
    listen-tls "127.0.0.1:${directory.tlsPort}"
    tls cert="${directory.certificate.cert}" key="${directory.certificate.key}"
    base-dn "${BASE}"
    search group:searchers
}
group searchers "May search"
group family "Family" { in users }
group children "Children" { in family }
user carol "Carol Example" email="carol@example.com" { in children; attribute department "Toys"; attribute uidNumber "4711" }
user "zoe" "Zoë Mü*ller (Jr.)" email="zoe@example.com" { in users }
service-account reader "Reader" { in searchers; token ldap-bind }
app nas "NAS" {
    launch-url "https://nas.example.com/"
    ldap { bind-as reader; profile ${profile} }
    access { allow group:users }
}
`;

export class Directory {
  /** `people` are files of further blueprints by their names; `wrap` is a command that runs the server. */
  static async start(name, { profile = "plain", people = {}, wrap } = {}) {
    const directory = new Directory();
    [directory.port, directory.tlsPort] = await freePorts(2);
    directory.world = await World.start(name, {
      proxy: false, wrap,
      apps: () => "",
      before: async (world) => {
        directory.certificate = await makeAuthority(world.scratch, await world.scratch.folder("secrets"));
        await world.doorward.write("ldap.kdl", blueprint(directory, profile));
        for (const [file, text] of Object.entries(people)) await world.doorward.write(file, text);
      },
    });
    try {
      await directory.know();
      return directory;
    } catch (error) {
      error.stack += `\n${directory.report()}`;
      await directory.stop();
      throw error;
    }
  }

  get url() {
    return `ldap://127.0.0.1:${this.port}`;
  }

  get secureUrl() {
    return `ldaps://127.0.0.1:${this.tlsPort}`;
  }

  /** Waits for the listeners, and asks for the secret of the account that searches. */
  async know() {
    const shown = await this.world.doorward.command("secret", "show", "service-account:reader");
    if (shown.code !== 0) throw new Error(`doorward secret show gave ${shown.code}: ${shown.stderr}`);
    this.token = shown.stdout.trim();
    await until("the directory to listen", async () => (await this.tool("ldapwhoami", ["-H", this.secureUrl, "-x"])).code === 0);
  }

  /** Gives a person the common password. */
  async hasPassword(name) {
    const { doorward } = this.world;
    const visitor = new Visitor({ port: doorward.port, tls: false, from: "127.1.1.1" });
    const answer = await visitor.setPassword(await doorward.link(name), PASSWORD);
    if (answer.status >= 400) throw new Error(`setting the password of ${name} gave ${answer.status}`);
  }

  /** An app password of a person for `nas`. */
  async appPassword(name) {
    const made = await this.world.doorward.command("token", "create", name, "--app", "nas");
    if (made.code !== 0) throw new Error(`doorward token create gave ${made.code}: ${made.stderr}`);
    return made.stdout.trim();
  }

  /** A program of OpenLDAP, which trusts the authority and reads no configuration of this machine. */
  tool(name, args, env = {}) {
    const mine = { HOME: this.world.scratch.dir, LDAPCONF: "/dev/null", LDAPTLS_CACERT: this.certificate.ca };
    return run(name, args, { env: { ...mine, ...env }, cwd: this.world.scratch.dir });
  }

  /** `ldapsearch` as the account that searches: what it printed, and the names of what it found. */
  async search(args, { url = this.url, as = READER, secret = this.token, env } = {}) {
    const done = await this.tool("ldapsearch", ["-x", "-LLL", "-o", "ldif-wrap=no", "-H", url, ...(as ? ["-D", as, "-w", secret] : []), ...args], env);
    return { ...done, names: [...done.stdout.matchAll(/^dn: (.+)$/gm)].map(([, dn]) => dn) };
  }

  /** Runs a client that answers with JSON, and tells it by its environment where and who. */
  async ask(command, args, env = {}) {
    const told = {
      LDAP_URL: this.url, LDAPS_URL: this.secureUrl, LDAP_CA: this.certificate.ca, LDAP_BASE: NAS, LDAP_NAME: READER, LDAP_SECRET: this.token, ...env,
    };
    const done = await run(command, args, { env: told, cwd: this.world.scratch.dir });
    if (done.code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${done.code}: ${done.stdout}${done.stderr}`);
    return JSON.parse(done.stdout);
  }

  report() {
    return this.world.report();
  }

  async stop() {
    await this.world?.stop();
  }
}

/** `count` people in files of a hundred each; every tenth is a child. */
export function crowd(count) {
  const line = (number) => {
    const name = `p${String(number).padStart(5, "0")}`;
    return `user ${name} "Person ${number}" email="${name}@example.com" { in ${number % 10 ? "users" : "children"} }\n`;
  };
  const files = {};
  for (let from = 1; from <= count; from += 100) {
    const size = Math.min(100, count - from + 1);
    files[`people/${String(from).padStart(5, "0")}.kdl`] = Array.from({ length: size }, (_, at) => line(from + at)).join("");
  }
  return files;
}
