// A real SSSD in a mount namespace of its own: the machine's people and logins stay as they are.
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { fileURLToPath } from "node:url";
import { client } from "./directory.mjs";
import { Program, run } from "./program.mjs";
import { until } from "./wait.mjs";

const RUN = fileURLToPath(new URL("../clients/sssd/run.sh", import.meta.url));

/** Why SSSD cannot run here, or nothing. */
export async function lacksForSssd() {
  if (userInfo().uid !== 0) return "only root lays a file system over another";
  const tried = await run("unshare", ["--mount", "--propagation", "private", "true"]).catch((error) => ({ code: 1, stderr: error.message }));
  return tried.code === 0 ? undefined : `mount namespaces are refused here: ${tried.stderr.trim()}`;
}

const settings = (domain) => `
[sssd]
services = nss, pam
domains = example

# What is not there, and who all are, is asked for again soon.
[nss]
entry_negative_timeout = 1
enum_cache_timeout = 1

[domain/example]
id_provider = ldap
auth_provider = ldap
access_provider = permit
chpass_provider = none
sudo_provider = none
autofs_provider = none
${Object.entries(domain).map(([key, value]) => `${key} = ${value}`).join("\n")}
`;

const NSSWITCH = "passwd: files sss\ngroup: files sss\nshadow: files sss\nhosts: files\n";
const PAM = "auth required pam_sss.so\naccount required pam_sss.so\n";
/** The service that people sign in to. */
export const SERVICE = "doorward-tests";

export class Sssd {
  /** `domain` are settings of its one domain; `ca` is the file of an authority that it trusts. */
  static async start(scratch, { domain, ca }) {
    const files = await scratch.folder("sssd-files");
    for (const dir of ["etc/sssd", "etc/pam.d"]) await mkdir(`${files}/${dir}`, { recursive: true });
    await writeFile(`${files}/etc/nsswitch.conf`, NSSWITCH);
    await writeFile(`${files}/etc/pam.d/${SERVICE}`, PAM);
    await copyFile(ca, `${files}/etc/sssd/ca.pem`);
    await writeFile(`${files}/etc/sssd/sssd.conf`, settings({ ldap_tls_cacert: "/etc/sssd/ca.pem", ...domain }), { mode: 0o600 });
    const sssd = new Sssd();
    sssd.program = Program.start("sssd", RUN, [client("sssd"), files, await scratch.folder("sssd")]);
    await until("SSSD to answer", async () => {
      sssd.program.mustRun();
      return (await sssd.within("test", ["-S", "/var/lib/sss/pipes/pam"])).code === 0;
    });
    return sssd;
  }

  /** Runs a command where SSSD is. */
  within(command, args = []) {
    return run("nsenter", ["--target", String(this.program.child.pid), "--mount", "--root", "--wd=/", command, ...args]);
  }

  /** Whether PAM lets somebody in, and what it says. */
  async login(name, password) {
    const script = 'printf "%s\\n" "$1" | exec pamtester "$2" "$3" authenticate acct_mgmt';
    const done = await this.within("sh", ["-c", script, "sh", password, SERVICE, name]);
    return { in: done.code === 0, says: `${done.stdout}${done.stderr}`.trim() };
  }

  async stop() {
    await this.program.stop();
  }
}
