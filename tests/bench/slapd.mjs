// A slapd of the bench's own, as Debian builds it, with the people that Doorward serves.
import { writeFile } from "node:fs/promises";
import { Program, run } from "../e2e/harness/program.mjs";
import { Scratch, freePorts } from "../e2e/harness/scratch.mjs";
import { until } from "../e2e/harness/wait.mjs";
import { SERVER_CORE } from "./wrk.mjs";

const settings = (dir, base, reader) => `
${["core", "cosine", "inetorgperson", "nis"].map((name) => `include /etc/ldap/schema/${name}.schema`).join("\n")}
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
moduleload argon2
pidfile ${dir}/slapd.pid
database mdb
suffix "${base}"
directory ${dir}/data
maxsize 1073741824
index objectClass,uid,cn,mail,memberOf,uidNumber eq
access to attrs=userPassword by anonymous auth
access to * by dn.exact="${reader}" read
limits dn.exact="${reader}" size=unlimited
`;

const root = (base, reader, secret) => `dn: ${base}
objectClass: organizationalUnit
ou: ${base.match(/^ou=([^,]+)/)[1]}

dn: ou=people,${base}
objectClass: organizationalUnit
ou: people

dn: ${reader}
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: reader
userPassword: ${secret}

`;

export class Slapd {
  /** Starts one on the core of servers, below `base`; `people` is the LDIF of everybody, `secret` the password of the one who searches. */
  static async start({ base, people, secret }) {
    const scratch = await Scratch.make("slapd");
    const slapd = new Slapd();
    Object.assign(slapd, { scratch, base, reader: `cn=reader,${base}` });
    await scratch.folder("data");
    const file = scratch.path("slapd.conf");
    await writeFile(file, settings(scratch.dir, base, slapd.reader));
    await writeFile(scratch.path("all.ldif"), root(base, slapd.reader, secret) + people);
    const added = await run("slapadd", ["-q", "-f", file, "-l", scratch.path("all.ldif")], { limit: 120_000 });
    if (added.code !== 0) throw new Error(`slapadd ended with ${added.code}: ${added.stderr.slice(-2_000)}`);
    const [port] = await freePorts(1);
    slapd.url = `ldap://127.0.0.1:${port}`;
    slapd.program = Program.start("slapd", "taskset", ["-c", SERVER_CORE, "slapd", "-d", "0", "-f", file, "-h", slapd.url]);
    await until("slapd to listen", async () => {
      slapd.program.mustRun();
      return (await run("ldapwhoami", ["-x", "-H", slapd.url])).code === 0;
    });
    slapd.version = (await run("slapd", ["-VV"])).stderr.match(/slapd ([\d.]+)/)?.[1];
    return slapd;
  }

  async stop() {
    await this.program.stop();
    await this.scratch.remove();
  }
}
