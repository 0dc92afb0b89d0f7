// A real Traefik with its file provider on the directory that Doorward writes into.
import { writeFile } from "node:fs/promises";
import { Program } from "./program.mjs";
import { until } from "./wait.mjs";
import { send } from "./wire.mjs";

const BINARY = process.env.TRAEFIK_BIN ?? "traefik";

export class Traefik {
  /**
   * `websecure` trusts no forwarded header; `trusted` believes clients on 127.0.0.1, as if an outer proxy stood there.
   * `labels` is the address of an HTTP provider that stands for container labels.
   */
  static async start(scratch, { websecure, trusted, api, dynamic, certificate, labels, middleware }) {
    const traefik = new Traefik();
    Object.assign(traefik, { port: websecure, trusted, api, dynamic });
    await writeFile(`${dynamic}/certificate.yml`, certificateFile(certificate));
    const config = scratch.path("traefik.yml");
    await writeFile(config, staticFile({ websecure, trusted, api, dynamic, labels, middleware }));
    traefik.program = Program.start("traefik", BINARY, [`--configFile=${config}`]);
    await until("Traefik to be ready", async () => {
      traefik.program.mustRun();
      return (await traefik.ask("/ping")).status === 200;
    });
    return traefik;
  }

  async stop() {
    await this.program?.stop();
  }

  ask(target) {
    return send({ port: this.api, target, headers: [["Host", `127.0.0.1:${this.api}`]] });
  }

  /** Every router that Traefik knows, by name with provider, as its API shows them. */
  async routers() {
    const answer = await this.ask("/api/http/routers?per_page=1000");
    return answer.json();
  }

  /** Waits until Traefik routes with the generated file. */
  async loaded(host) {
    await until(`Traefik to have a router for ${host}`, async () => {
      this.program.mustRun();
      return (await this.routers()).some((router) => router.rule.includes(`\`${host}\``));
    });
  }

  /** Log entries of level warn and above, but for the advice on encoded characters that 3.7 gives to everybody. */
  complaints() {
    const entries = this.program.output.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
    return entries.filter((entry) => ["warn", "error", "fatal", "panic"].includes(entry.level) && !entry.message.includes("encoded characters"));
  }
}

function staticFile({ websecure, trusted, api, dynamic, labels, middleware }) {
  const onEntryPoint = middleware ? `\n    http:\n      middlewares: ["${middleware}"]` : "";
  return `
global:
  checkNewVersion: false
  sendAnonymousUsage: false
log:
  level: INFO
  format: json
api:
  insecure: true
  dashboard: false
ping:
  entryPoint: traefik
entryPoints:
  traefik:
    address: "127.0.0.1:${api}"
  websecure:
    address: "127.0.0.1:${websecure}"${onEntryPoint}
  trusted:
    address: "127.0.0.1:${trusted}"
    forwardedHeaders:
      trustedIPs: ["127.0.0.1/32"]
providers:
  providersThrottleDuration: 100ms
  file:
    directory: "${dynamic}"
    watch: true
${labels ? `  http:\n    endpoint: "${labels}"\n    pollInterval: 500ms\n` : ""}`;
}

function certificateFile({ cert, key }) {
  return `tls:\n  stores:\n    default:\n      defaultCertificate:\n        certFile: "${cert}"\n        keyFile: "${key}"\n`;
}
