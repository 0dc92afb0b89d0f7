// The load generator, pinned to its own core, and what a process used while it ran.
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { run } from "../e2e/harness/program.mjs";

/** The server's core and the generator's: different ones where there are two. */
export const SERVER_CORE = "0";
export const LOAD_CORE = cpus().length > 1 ? "1" : "0";

const TICKS_PER_SECOND = 100;
const UNITS = { us: 1, ms: 1_000, s: 1_000_000, m: 60_000_000 };

/**
 * Loads `url` and returns requests per second, CPU µs per request of `pid`, latencies in µs and the peak of its memory.
 * `script` is a Lua script for wrk with its arguments.
 */
export async function load(url, { headers = [], connections = 32, seconds = 5, pid, script = [] }) {
  const list = headers.flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const before = pid ? await cpuSeconds(pid) : 0;
  let peak = 0;
  const watch = pid && setInterval(async () => (peak = Math.max(peak, await residentKib(pid).catch(() => 0))), 100);
  const args = ["-c", LOAD_CORE, "wrk", "-t1", `-c${connections}`, `-d${seconds}s`, "--latency", ...list, ...(script.length ? ["-s", script[0]] : []), url, ...(script.length ? ["--", ...script.slice(1)] : [])];
  const done = await run("taskset", args, { limit: (seconds + 20) * 1_000 });
  clearInterval(watch);
  if (done.code !== 0) throw new Error(`wrk failed: ${done.stderr}${done.stdout}`);
  const used = pid ? (await cpuSeconds(pid)) - before : 0;
  return { ...parse(done.stdout), cpu: 0, peak, ...(pid && { cpu: (used * 1e6) / parse(done.stdout).requests }) };
}

function parse(text) {
  const number = (pattern) => Number(text.match(pattern)?.[1] ?? 0);
  const latency = (percent) => {
    const [, value, unit] = text.match(new RegExp(`${percent}%\\s+([\\d.]+)(us|ms|s|m)`)) ?? [];
    return Number(value) * (UNITS[unit] ?? 0);
  };
  const errors = text.match(/Socket errors: (.*)/)?.[1];
  if (errors) throw new Error(`the load met socket errors: ${errors}`);
  return {
    requests: number(/(\d+) requests in/), rate: number(/Requests\/sec:\s+([\d.]+)/), refused: number(/Non-2xx or 3xx responses: (\d+)/),
    p50: latency(50), p99: latency(99),
  };
}

/** Seconds of processor time that a process has used, in user and kernel. */
export async function cpuSeconds(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory in KiB. */
export async function residentKib(pid) {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(status.match(/VmRSS:\s+(\d+)/)[1]);
}
