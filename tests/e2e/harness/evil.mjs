// A server that nobody should ever reach: it remembers every connection and what was asked on it.
import { createServer } from "node:net";

export class Evil {
  static async start() {
    const evil = new Evil();
    await new Promise((done) => evil.server.listen(0, "127.0.0.1", done));
    evil.url = `http://127.0.0.1:${evil.server.address().port}`;
    return evil;
  }

  constructor() {
    this.connections = 0;
    /** Request targets without their first slash, in order. */
    this.asked = [];
    this.sockets = new Set();
    this.server = createServer((socket) => this.meet(socket));
  }

  meet(socket) {
    this.connections += 1;
    this.sockets.add(socket);
    socket.on("close", () => this.sockets.delete(socket));
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      this.asked.push(bytes.toString("latin1").split(" ")[1]?.slice(1) ?? "");
      socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
  }

  /** The names of the ways on which something arrived: the first segment of each path. */
  ways() {
    return new Set(this.asked.map((target) => target.split(/[?/]/)[0]));
  }

  forget() {
    this.connections = 0;
    this.asked = [];
  }

  async stop() {
    this.sockets.forEach((socket) => socket.destroy());
    await new Promise((done) => this.server.close(done));
  }
}
