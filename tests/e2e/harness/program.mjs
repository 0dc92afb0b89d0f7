// A child process with its output kept, ended with the test whatever happens.
import { spawn } from "node:child_process";
import { within } from "./wait.mjs";

const running = new Set();

process.on("exit", () => running.forEach((program) => program.child.kill("SIGKILL")));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(130));

export class Program {
  static start(name, command, args, { env = {}, cwd } = {}) {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new Program(name, child);
  }

  constructor(name, child) {
    this.name = name;
    this.child = child;
    this.output = "";
    this.code = null;
    const keep = (bytes) => (this.output = (this.output + bytes).slice(-400_000));
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    running.add(this);
    this.ended = new Promise((done) => {
      child.on("error", (error) => {
        this.output += `\n${error.message}`;
        this.code = -1;
        running.delete(this);
        done(this.code);
      });
      child.on("close", (code, signal) => {
        this.code = code ?? signal;
        running.delete(this);
        done(this.code);
      });
    });
  }

  get alive() {
    return this.code === null;
  }

  /** Throws with the output if the program has ended: a poll for readiness calls it first. */
  mustRun() {
    if (!this.alive) throw new Dead(`${this.name} ended with ${this.code}:\n${this.tail()}`);
  }

  async stop(signal = "SIGTERM") {
    if (!this.alive) return this.code;
    this.child.kill(signal);
    try {
      return await within(`stopping ${this.name}`, 5_000, this.ended);
    } catch {
      this.child.kill("SIGKILL");
      return this.ended;
    }
  }

  tail(lines = 30) {
    return this.output.trimEnd().split("\n").slice(-lines).join("\n");
  }
}

/** Runs a command to its end and returns `{ code, stdout, stderr }`. */
export function run(command, args, { env = {}, cwd, limit = 30_000 } = {}) {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const result = { code: null, stdout: "", stderr: "" };
  child.stdout.on("data", (bytes) => (result.stdout += bytes));
  child.stderr.on("data", (bytes) => (result.stderr += bytes));
  const ended = new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code, signal) => done({ ...result, code: code ?? signal }));
  });
  return within(`${command} ${args.join(" ")}`, limit, ended).finally(() => child.exitCode ?? child.kill("SIGKILL"));
}

/** The program is gone: waiting longer is pointless. */
export class Dead extends Error {
  fatal = true;
}
