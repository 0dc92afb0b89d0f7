// The server under test: its command line, its files, its ports.
import { rename, writeFile, readFile, rm, mkdir } from "node:fs/promises";
import { join, dirname, basename, resolve } from "node:path";
import { Program, run } from "./program.mjs";
import { until } from "./wait.mjs";
import { send } from "./wire.mjs";

export const BINARY = resolve(process.env.DOORWARD_BIN ?? new URL("../../../target/debug/doorward", import.meta.url).pathname);

export class Doorward {
  /** Prepares directories and ports; `start` runs it. */
  constructor(scratch, { port, metrics, dev = false, wrap = [], state }) {
    this.scratch = scratch;
    this.port = port;
    this.metrics = metrics;
    this.dev = dev;
    this.blueprints = scratch.path("blueprints");
    this.dynamic = scratch.path("dynamic");
    this.secrets = scratch.path("secrets");
    this.state = state ?? `sqlite://${scratch.path("state", "state.db")}`;
    this.wrap = wrap;
  }

  get authority() {
    return `127.0.0.1:${this.port}`;
  }

  async start() {
    for (const dir of [this.blueprints, this.dynamic, this.secrets]) await mkdir(dir, { recursive: true });
    await mkdir(this.scratch.path("state"), { recursive: true, mode: 0o700 });
    const args = ["serve", ...this.common(), "--listen", this.authority, "--log", "json"];
    args.push("--write-to", this.dynamic, "--read-from", this.secrets);
    if (this.dev) args.push("--dev");
    const [command, ...rest] = [...this.wrap, BINARY, ...args];
    this.program = Program.start("doorward", command, rest, { cwd: this.scratch.dir });
    await until("doorward to be ready", async () => {
      this.program.mustRun();
      return (await this.get("/healthz")).status === 200;
    }, { every: 2 });
  }

  async stop() {
    await this.program?.stop();
  }

  /** Runs a command of the binary beside the server: `{ code, stdout, stderr }`. */
  command(...args) {
    return run(BINARY, [...args, ...this.common()], { cwd: this.scratch.dir });
  }

  /** A one-time address where `name` sets a password. */
  async link(name) {
    const made = await this.command("user", "link", name);
    const url = made.stdout.match(/https?:\/\/[^\s"'<>]+/)?.[0];
    if (made.code !== 0 || !url) throw new Error(`doorward user link ${name} gave ${made.code}: ${made.stdout}${made.stderr}`);
    return url;
  }

  /** The configuration that Doorward prints for another proxy. */
  async snippet(proxy, app) {
    const made = await this.command("snippet", proxy, `app:${app}`);
    if (made.code !== 0 || !made.stdout.trim()) throw new Error(`doorward snippet ${proxy} app:${app} gave ${made.code}: ${made.stdout}${made.stderr}`);
    return made.stdout;
  }

  /** Writes one blueprint file the way careful editors do: a hidden temporary file, then a rename. Returns the time of the rename. */
  async write(name, text) {
    const path = join(this.blueprints, name);
    await mkdir(dirname(path), { recursive: true });
    const draft = join(dirname(path), `.${basename(name)}.new`);
    await writeFile(draft, text);
    await rename(draft, path);
    return performance.now();
  }

  async erase(name) {
    await rm(join(this.blueprints, name));
  }

  /** The text that Traefik's file provider reads, or an empty string. */
  traefikFile() {
    return readFile(join(this.dynamic, "doorward.yml"), "utf8").catch(() => "");
  }

  /** A request straight to the main listener. */
  get(target, headers = [], more = {}) {
    return send({ port: this.port, target, headers: withHost(headers, this.authority), ...more });
  }

  /** A request to the listener of metrics and `/healthz/config`. */
  getMetrics(target) {
    return send({ port: this.metrics, target, headers: [["Host", `127.0.0.1:${this.metrics}`]] });
  }

  /** Waits until the files as they are now have been taken up or refused. */
  async settled(status) {
    await until(`/healthz/config to answer ${status}`, async () => (await this.getMetrics("/healthz/config")).status === status);
  }

  common() {
    return ["--blueprints", this.blueprints, "--state", this.state];
  }
}

function withHost(headers, host) {
  return headers.some(([name]) => name.toLowerCase() === "host") ? headers : [["Host", host], ...headers];
}
