// Programs of others that let people in by Doorward: each behind the same Traefik, and reaching it as browsers do.
import { writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { Program } from "./program.mjs";
import { freePorts } from "./scratch.mjs";
import { Tunnel } from "./tunnel.mjs";
import { until } from "./wait.mjs";
import { send } from "./wire.mjs";
import { World } from "./world.mjs";

const BUILT = process.env.PARTIES_DIR ?? join(homedir(), ".cache/doorward-tests/parties");

/** A program that `parties/build.sh` built. */
export const built = (...name) => join(BUILT, ...name);

export class Parties {
  /** A world (`options` are its own), and the programs that `fill(parties)` adds. */
  static async start(name, options, fill) {
    const parties = new Parties();
    try {
      parties.world = await World.start(name, options);
      parties.tunnel = await Tunnel.start(parties.world.ports.websecure);
      await fill(parties);
      return parties;
    } catch (error) {
      await parties.stop();
      throw error;
    }
  }

  constructor() {
    this.programs = [];
  }

  /** Runs a program that listens on the port it is told, and leads `https://HOST` to it. */
  async add(host, { command, args = () => [], env = () => ({}), ready = "/" }) {
    const [port] = await freePorts(1);
    const { scratch, traefik, certificate } = this.world;
    const program = Program.start(host, command, args(port), { cwd: scratch.dir, env: { ...this.tunnel.env(certificate.cert), ...env(port) } });
    this.programs.push(program);
    await writeFile(scratch.path("dynamic", `${host}.yml`), route(host, port));
    await until(`${host} to be ready`, async () => {
      program.mustRun();
      return (await send({ port, target: ready, headers: [["Host", host]] })).status < 500;
    }, { limit: 30_000 });
    await traefik.loaded(host);
    return { host, port, origin: `https://${host}`, program };
  }

  /** The secret that Doorward made for an app. */
  async secretOf(app) {
    const shown = await this.world.doorward.command("secret", "show", `app:${app}`);
    if (shown.code !== 0) throw new Error(`doorward secret show app:${app} gave ${shown.code}: ${shown.stderr}`);
    return shown.stdout.trim();
  }

  report() {
    return [this.world.report(), ...this.programs.map((program) => `--- ${program.name}\n${program.tail(10)}`)].join("\n");
  }

  async stop() {
    await Promise.all(this.programs.map((program) => program.stop()));
    await this.tunnel?.stop();
    await this.world?.stop();
  }
}

const route = (host, port) => `
http:
  routers:
    ${host.replaceAll(".", "-")}: { rule: "Host(\`${host}\`)", entryPoints: [websecure], service: ${host.replaceAll(".", "-")}, tls: {} }
  services:
    ${host.replaceAll(".", "-")}: { loadBalancer: { servers: [{ url: "http://127.0.0.1:${port}" }] } }
`;
