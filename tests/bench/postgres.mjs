// A PostgreSQL server of the bench's own, as its packages configure it: every commit reaches the disk.
import { chmod, readdir } from "node:fs/promises";
import { userInfo } from "node:os";
import { Program, run } from "../e2e/harness/program.mjs";
import { Scratch, freePorts } from "../e2e/harness/scratch.mjs";
import { until } from "../e2e/harness/wait.mjs";
import { LOAD_CORE } from "./wrk.mjs";

const PLACE = "/usr/lib/postgresql";

/** The newest that Debian installed, or nothing. */
async function binaries() {
  const versions = await readdir(PLACE).catch(() => []);
  const newest = versions.map(Number).sort((a, b) => b - a)[0];
  return newest && `${PLACE}/${newest}/bin`;
}

export class Postgres {
  /** Starts one on the core of the load; nothing where none is installed. */
  static async start() {
    const bin = await binaries();
    if (!bin) return undefined;
    const scratch = await Scratch.make("postgres");
    // It refuses to be run by root.
    const other = userInfo().uid === 0 ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];
    const data = await scratch.folder("data");
    if (other.length) {
      await chmod(scratch.dir, 0o755);
      await run("chown", ["postgres", data]);
    }
    const [port] = await freePorts(1);
    const [initdb, ...made] = [...other, `${bin}/initdb`, "-D", data, "-U", "doorward", "--auth=trust", "--locale=C", "--encoding=UTF8"];
    const done = await run(initdb, made, { limit: 60_000 });
    if (done.code !== 0) throw new Error(`initdb failed: ${done.stderr}`);
    const command = ["-c", LOAD_CORE, ...other, `${bin}/postgres`, "-D", data, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="];
    const program = Program.start("postgres", "taskset", command);
    const postgres = new Postgres(scratch, program, `postgres://doorward@127.0.0.1:${port}/postgres`);
    const ready = ["-q", "-h", "127.0.0.1", "-p", String(port), "-U", "doorward"];
    await until("PostgreSQL to be ready", async () => {
      program.mustRun();
      return (await run(`${bin}/pg_isready`, ready)).code === 0;
    });
    postgres.version = (await run(`${bin}/postgres`, ["--version"])).stdout.match(/[\d.]+/)[0];
    return postgres;
  }

  constructor(scratch, program, url) {
    Object.assign(this, { scratch, program, url });
  }

  async stop() {
    await this.program.stop("SIGINT");
    await this.scratch.remove();
  }
}
