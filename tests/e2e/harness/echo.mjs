// The application behind the proxy: it answers with what reached it, and remembers it.
import { createServer } from "node:http";
import { createHash } from "node:crypto";

export class Echo {
  static async start() {
    const echo = new Echo();
    await new Promise((done) => echo.server.listen(0, "127.0.0.1", done));
    echo.port = echo.server.address().port;
    echo.url = `http://127.0.0.1:${echo.port}`;
    return echo;
  }

  constructor() {
    /** Every request that got through, newest last. */
    this.seen = [];
    this.pages = new Map();
    this.documents = new Map();
    this.sockets = new Set();
    this.server = createServer((request, response) => this.answer(request, response));
    this.server.on("upgrade", (request, socket) => this.upgrade(request, socket));
  }

  /** Serves `html` at `path` instead of the echo: the page of a hostile or ordinary application. */
  page(path, html, headers = {}) {
    this.pages.set(path, { html, headers: { "content-type": "text/html; charset=utf-8", ...headers } });
  }

  /** Serves a JSON document that is not counted as a visit (Traefik polls it). */
  document(path, value) {
    this.documents.set(path, JSON.stringify(value));
  }

  async stop() {
    this.sockets.forEach((socket) => socket.destroy());
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  answer(request, response) {
    const path = request.url.split("?")[0];
    if (this.documents.has(path)) return response.setHeader("content-type", "application/json").end(this.documents.get(path));
    const view = this.note(request);
    const page = this.pages.get(path);
    if (page) return response.writeHead(200, page.headers).end(page.html);
    response.setHeader("content-type", "application/json").end(JSON.stringify(view, null, 1));
  }

  upgrade(request, socket) {
    this.note(request);
    const key = request.headers["sec-websocket-key"] ?? "";
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    const hello = Buffer.from("echo");
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    socket.on("error", () => {});
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.write(Buffer.concat([Buffer.from([0x81, hello.length]), hello]));
    socket.on("data", (frame) => frame[0] === 0x88 && socket.end(Buffer.from([0x88, 0])));
  }

  note(request) {
    const view = { method: request.method, url: request.url, headers: joined(request.rawHeaders, (name) => name) };
    // A CGI- or WSGI-like application cannot tell `Remote_User` from `Remote-User`.
    view.folded = joined(request.rawHeaders, (name) => name.replaceAll("_", "-"));
    this.seen.push(view);
    return view;
  }
}

/** Header names in lower case, each with the list of all its values. */
function joined(raw, rename) {
  const headers = {};
  for (let at = 0; at < raw.length; at += 2) (headers[rename(raw[at].toLowerCase())] ??= []).push(raw[at + 1]);
  return headers;
}
