// Everything one set of tests stands on: blueprints, Doorward, a real Traefik, an application, people.
import { writeFile } from "node:fs/promises";
import { Browser } from "./browser.mjs";
import { makeCertificate } from "./certificate.mjs";
import { Doorward } from "./doorward.mjs";
import { Echo } from "./echo.mjs";
import { Scratch, freePorts } from "./scratch.mjs";
import { Traefik } from "./traefik.mjs";
import { Visitor } from "./visitor.mjs";

export const AUTH = "https://auth.example.com";
export const PASSWORD = "correct horse battery staple";

export class World {
  /**
   * `apps(world)` gives the KDL of the apps; `base` replaces parts of the common blueprint (see below).
   * `before(world)` may place more files for Traefik. `proxy: false` leaves Traefik out. `wrap` is a command
   * that runs the server, such as `taskset`. `state` is the store's address, where it is no file of its own.
   */
  static async start(name, { apps, base = {}, before, proxy = true, dev = false, labels = false, middleware, waitFor, wrap, state } = {}) {
    const world = new World();
    try {
      world.scratch = await Scratch.make(name);
      [world.ports.doorward, world.ports.metrics, world.ports.websecure, world.ports.trusted, world.ports.api] = await freePorts(5);
      world.echo = await Echo.start();
      world.doorward = new Doorward(world.scratch, { port: world.ports.doorward, metrics: world.ports.metrics, dev, wrap, state });
      await world.scratch.folder("dynamic");
      await world.scratch.folder("secrets");
      await world.doorward.write("base.kdl", baseBlueprint(world, base));
      await world.doorward.write("apps.kdl", apps(world));
      await before?.(world);
      await world.doorward.start();
      if (proxy) await world.startTraefik({ labels, middleware, waitFor });
      return world;
    } catch (error) {
      error.stack += `\n${world.report()}`;
      await world.stop();
      throw error;
    }
  }

  constructor() {
    this.ports = {};
    this.people = new Map();
  }

  async startTraefik({ labels, middleware, waitFor = "auth.example.com" }) {
    this.certificate = await makeCertificate(this.scratch);
    this.traefik = await Traefik.start(this.scratch, {
      ...this.ports, dynamic: this.doorward.dynamic, certificate: this.certificate, middleware,
      labels: labels && `${this.echo.url}/labels.json`,
    });
    await this.traefik.loaded(waitFor);
  }

  /** A new visitor without cookies, coming through the entry point that trusts nobody. */
  visitor({ port = this.ports.websecure, from } = {}) {
    return new Visitor({ port, from });
  }

  /** A visitor who has signed in; the password is set by link the first time a name is used. */
  async signedIn(name, options) {
    const visitor = this.visitor(options);
    await this.hasPassword(name);
    await visitor.open(`${AUTH}/`);
    await visitor.signIn(name, PASSWORD);
    return visitor;
  }

  /** Gives a declared user the common password, once. */
  async hasPassword(name) {
    if (!this.people.has(name)) this.people.set(name, this.choosePassword(name));
    return this.people.get(name);
  }

  async choosePassword(name) {
    const answer = await this.visitor().setPassword(await this.doorward.link(name), PASSWORD);
    if (answer.status >= 400) throw new Error(`setting the password of ${name} gave ${answer.status}`);
  }

  /** A person in the real browser. */
  async person(options) {
    this.browser ??= await Browser.start(this.ports.websecure);
    return this.browser.person(options);
  }

  async secret(name, value) {
    await writeFile(this.scratch.path("secrets", name), value, { mode: 0o600 });
    return this.scratch.path("secrets", name);
  }

  /** What a failed test shows besides its own words. */
  report() {
    const parts = [];
    if (this.doorward?.program?.output) parts.push(`--- doorward\n${this.doorward.program.tail(10)}`);
    const complaints = this.traefik?.complaints() ?? [];
    if (complaints.length) parts.push(`--- traefik\n${complaints.slice(-5).map((entry) => JSON.stringify(entry)).join("\n")}`);
    return parts.join("\n");
  }

  async stop() {
    await this.browser?.stop();
    await this.traefik?.stop();
    await this.doorward?.stop();
    await this.echo?.stop();
    await this.scratch?.remove();
  }
}

/** The part of the blueprints that all sets share. */
export function baseBlueprint(world, { trusted = `"127.0.0.1/32"`, reach, entrypoints = "websecure trusted", settings = "", people = "", external = AUTH } = {}) {
  return `
server {
    metrics "127.0.0.1:${world.ports.metrics}"
    trusted-proxies ${trusted}
}
settings {
    external-host "${external}"
    ${settings}
}
traefik {
    write "${world.doorward.dynamic}/doorward.yml"
    reach-doorward-at "${reach ?? `http://127.0.0.1:${world.ports.doorward}`}"
    entrypoints ${entrypoints}
    tls
    forward-auth doorward
}
group admins "Administrators" { console admin; membership declared }
group users "Household" { membership declared }
group guests "Guests" { membership declared }
user alice "Alice Example" email="alice@example.com" { in admins users }
user bob "Bob Example" email="bob@example.com" { in users }
user mallory "Mallory Guest" email="mallory@example.com" { in guests }
${people}
`;
}
