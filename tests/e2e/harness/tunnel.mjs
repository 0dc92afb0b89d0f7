// The way out for programs that are no browser: whatever host they name, they reach Traefik.
import { createServer } from "node:http";
import { connect } from "node:net";

export class Tunnel {
  /** Leads every CONNECT to `port`, so that addresses keep their names and standard ports. */
  static async start(port) {
    const tunnel = new Tunnel(port);
    await new Promise((done) => tunnel.server.listen(0, "127.0.0.1", done));
    return tunnel;
  }

  constructor(port) {
    this.sockets = new Set();
    this.server = createServer((request, response) => response.writeHead(405).end());
    this.server.on("connect", (request, near, head) => this.join(near, connect(port, "127.0.0.1"), head));
  }

  /** What a program is told, for it to come this way and to trust `certificate`. */
  env(certificate) {
    const proxy = `http://127.0.0.1:${this.server.address().port}`;
    return {
      HTTPS_PROXY: proxy, https_proxy: proxy, NO_PROXY: "127.0.0.1", no_proxy: "127.0.0.1",
      SSL_CERT_FILE: certificate, REQUESTS_CA_BUNDLE: certificate,
    };
  }

  join(near, far, head) {
    far.on("connect", () => {
      near.write("HTTP/1.1 200 Connection established\r\n\r\n");
      far.write(head);
      near.pipe(far).pipe(near);
    });
    for (const [socket, other] of [[near, far], [far, near]]) {
      this.sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => this.sockets.delete(socket) && other.destroy());
    }
  }

  async stop() {
    this.sockets.forEach((socket) => socket.destroy());
    await new Promise((done) => this.server.close(done));
  }
}
