// Scratch space: a temporary directory per test set and ports that are free right now.
import { rmSync } from "node:fs";
import { mkdtemp, rm, mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const made = new Set();

process.on("exit", () => {
  if (!process.env.KEEP_SCRATCH) made.forEach((dir) => rmSync(dir, { recursive: true, force: true }));
});

export class Scratch {
  static async make(name) {
    return new Scratch(await mkdtemp(join(tmpdir(), `doorward-e2e-${name}-`)));
  }

  constructor(dir) {
    this.dir = dir;
    made.add(dir);
  }

  path(...parts) {
    return join(this.dir, ...parts);
  }

  async folder(...parts) {
    await mkdir(this.path(...parts), { recursive: true });
    return this.path(...parts);
  }

  async remove() {
    if (process.env.KEEP_SCRATCH) console.log(`  kept ${this.dir}`);
    else await rm(this.dir, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** `count` different free loopback ports, all held open until the last one is known. */
export async function freePorts(count) {
  const held = await Promise.all(Array.from({ length: count }, hold));
  const ports = held.map((server) => server.address().port);
  await Promise.all(held.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

function hold() {
  return new Promise((done, fail) => {
    const server = createServer().on("error", fail);
    server.listen(0, "127.0.0.1", () => done(server));
  });
}
