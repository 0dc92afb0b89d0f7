// A person with a browser, without the browser: cookies per host, redirects, forms as shown,
// and the `Sec-Fetch-*` headers that a real one sends. Chromium itself is in browser.mjs.
import { send } from "./wire.mjs";
import { forms, plain } from "./form.mjs";

export class Visitor {
  /** `port` is the proxy's; every host name leads there. With `tls: false` requests are plain http. */
  constructor({ port, tls = true, from }) {
    Object.assign(this, { port, tls, from });
    this.cookies = [];
    this.page = null;
    this.url = null;
    /** The addresses of the last navigation, redirects included. */
    this.trail = [];
  }

  /** Goes to `url` as if typed, or from the page at `initiator`, and follows redirects. */
  async open(url, { method = "GET", body, initiator, headers = [] } = {}) {
    let next = { url, method, body };
    this.trail = [];
    for (let hop = 0; hop < 20; hop += 1) {
      const answer = await this.step(next.url, { ...next, initiator, headers });
      this.trail.push({ url: next.url, status: answer.status });
      const location = answer.header("location");
      if (answer.status < 300 || answer.status > 399 || !location) {
        Object.assign(this, { page: answer, url: next.url });
        return answer;
      }
      const keep = answer.status === 307 || answer.status === 308;
      next = { url: new URL(location, next.url).href, method: keep ? next.method : "GET", body: keep ? next.body : undefined };
    }
    throw new Error(`redirect loop: ${this.trail.map((hop) => `${hop.status} ${hop.url}`).join(" → ")}`);
  }

  /** One navigation request without following anything. */
  async step(url, { method = "GET", body, initiator, headers = [] } = {}) {
    const site = siteOf(initiator, url);
    const list = [
      ["Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
      ["Sec-Fetch-Mode", "navigate"], ["Sec-Fetch-Dest", "document"], ["Sec-Fetch-Site", site], ["Sec-Fetch-User", "?1"],
    ];
    if (method === "POST") list.push(["Origin", new URL(initiator ?? url).origin], ["Content-Type", "application/x-www-form-urlencoded"]);
    if (initiator) list.push(["Referer", site === "same-origin" ? initiator : `${new URL(initiator).origin}/`]);
    return this.fetch(url, { method, body, headers: [...list, ...headers], crossSite: site === "cross-site" && method !== "GET" });
  }

  /** A bare request with this visitor's cookies: what `fetch` or `curl` would send. */
  async fetch(url, { method = "GET", body, headers = [], port = this.port, crossSite = false, target } = {}) {
    const { protocol, host, hostname, pathname, search } = new URL(url);
    const cookie = crossSite ? "" : this.cookieFor(url);
    const list = [["Host", host], ...headers];
    if (cookie) list.push(["Cookie", cookie]);
    const secure = this.tls && protocol === "https:";
    const answer = await send({ port, tls: secure, servername: hostname, from: this.from, method, target: target ?? pathname + search, headers: list, body });
    for (const line of answer.all("set-cookie")) this.keep(hostname, line);
    return answer;
  }

  /** Sends the first form of the page that has all of `values`' fields, or the one whose button says `press`. */
  async submit(values = {}, { press } = {}) {
    const form = this.form(Object.keys(values), press);
    const body = new URLSearchParams([...form.fields]);
    for (const [name, value] of Object.entries(values)) body.set(name, value);
    const button = form.buttons.find((one) => !press || press.test(one.text));
    if (button?.name) body.set(button.name, button.value);
    const target = new URL(form.action || this.url, this.url).href;
    if (form.method === "GET") return this.open(`${target}?${body}`, { initiator: this.url });
    return this.open(target, { method: "POST", body: body.toString(), initiator: this.url });
  }

  form(names = [], press) {
    const found = this.forms().find((form) => names.every((name) => form.inputs.includes(name)) && (!press || form.buttons.some((one) => press.test(one.text))));
    if (!found) throw new Error(`no form with [${names}] ${press ?? ""} on ${this.url} (${this.page?.status}): ${this.says().slice(0, 400)}`);
    return found;
  }

  forms() {
    return forms(this.page?.text ?? "");
  }

  /** The visible text of the page. */
  says() {
    return plain(this.page?.text ?? "");
  }

  /** Answers every sign-in page in turn, whether user name and password are asked together or apart. */
  async signIn(name, password) {
    for (let page = 0; page < 4; page += 1) {
      const asked = this.forms().flatMap((form) => form.inputs).filter((input) => input === "username" || input === "password");
      if (!asked.length) return this.page;
      const values = {};
      if (asked.includes("username")) values.username = name;
      if (asked.includes("password")) values.password = password;
      await this.submit(values);
      if (asked.includes("password")) return this.page;
    }
    throw new Error(`sign-in did not end; now at ${this.url}: ${this.says().slice(0, 300)}`);
  }

  /** Follows a set-up link and chooses a password. */
  async setPassword(link, password) {
    await this.open(link);
    return this.submit({ "new-password": password, "new-password-again": password });
  }

  cookieFor(url) {
    const { hostname, protocol, pathname } = new URL(url);
    const fits = (cookie) => (cookie.domain ? hostname === cookie.domain || hostname.endsWith(`.${cookie.domain}`) : hostname === cookie.host);
    return this.cookies
      .filter((cookie) => fits(cookie) && (!cookie.secure || protocol === "https:") && pathname.startsWith(cookie.path))
      .map((cookie) => `${cookie.name}=${cookie.value}`)
      .join("; ");
  }

  /** The cookies of one host by name. */
  jar(host) {
    return new Map(this.cookies.filter((cookie) => (cookie.domain ?? cookie.host) === host).map((cookie) => [cookie.name, cookie.value]));
  }

  keep(host, line) {
    const [pair, ...attributes] = line.split(";").map((part) => part.trim());
    const at = pair.indexOf("=");
    const flags = new Map(attributes.map((text) => [text.split("=")[0].toLowerCase(), text.split("=").slice(1).join("=")]));
    const cookie = { name: pair.slice(0, at), value: pair.slice(at + 1), host, domain: flags.get("domain")?.replace(/^\./, ""), secure: flags.has("secure"), path: flags.get("path") ?? "/", line };
    this.cookies = this.cookies.filter((old) => !(old.name === cookie.name && old.host === host && old.path === cookie.path));
    if (flags.get("max-age") !== "0" && cookie.value !== "") this.cookies.push(cookie);
  }
}

function siteOf(initiator, url) {
  if (!initiator) return "none";
  const [from, to] = [new URL(initiator), new URL(url)];
  if (from.origin === to.origin) return "same-origin";
  const site = (host) => host.split(".").slice(-2).join(".");
  return site(from.hostname) === site(to.hostname) ? "same-site" : "cross-site";
}
