// HTTP/1.1 with nothing hidden: the request goes out byte for byte as given, the answer comes back
// with its header lines in order. Ordinary clients repair or refuse what these tests must send.
import net from "node:net";
import tls from "node:tls";

/**
 * Sends one request on a fresh connection.
 * `headers` is a list of `[name, value]`; nothing is added but a Content-Length for a body.
 */
export async function send({ port, tls: secure = false, servername, from, method = "GET", target = "/", headers = [], body = "", limit = 10_000 }) {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  if (body) lines.push(`Content-Length: ${Buffer.byteLength(body)}\r\n`);
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
  const bytes = Buffer.concat([head, Buffer.from(body)]);
  return sendBytes({ port, tls: secure, servername, from, bytes, method, limit });
}

/** Sends raw bytes and reads one answer: `{ status, headers, rawHeaders, text, json(), upgraded }`. */
export function sendBytes({ port, tls: secure = false, servername, from, bytes, method = "GET", limit = 10_000 }) {
  return new Promise((done, fail) => {
    const link = { host: "127.0.0.1", port, localAddress: from };
    const socket = secure ? tls.connect({ ...link, servername, rejectUnauthorized: false }) : net.connect(link);
    let got = Buffer.alloc(0);
    const finish = (ended) => {
      const answer = parse(got, { method, ended });
      if (!answer) return false;
      clearTimeout(timer);
      socket.destroy();
      done(answer);
      return true;
    };
    const timer = setTimeout(() => {
      socket.destroy();
      fail(new Error(`no complete answer within ${limit} ms; got ${JSON.stringify(got.toString("latin1").slice(0, 200))}`));
    }, limit);
    socket.on(secure ? "secureConnect" : "connect", () => socket.write(bytes));
    socket.on("data", (more) => {
      got = Buffer.concat([got, more]);
      finish(false);
    });
    const broken = (error) => {
      clearTimeout(timer);
      fail(error);
    };
    socket.on("error", broken);
    socket.on("end", () => finish(true) || broken(new Error("connection closed without an answer")));
  });
}

export class Answer {
  constructor(status, rawHeaders, body) {
    this.status = status;
    this.rawHeaders = rawHeaders;
    this.text = body.toString("utf8");
  }

  /** All values of a header, in order. */
  all(name) {
    return this.rawHeaders.filter(([key]) => key.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  }

  /** The first value of a header. */
  header(name) {
    return this.all(name)[0];
  }

  json() {
    try {
      return JSON.parse(this.text);
    } catch {
      throw new Error(`expected JSON, got ${this.status}: ${this.text.slice(0, 300)}`);
    }
  }

  get ok() {
    return this.status >= 200 && this.status < 300;
  }
}

function parse(bytes, { method, ended }) {
  const split = bytes.indexOf("\r\n\r\n");
  if (split < 0) return null;
  const [first, ...lines] = bytes.subarray(0, split).toString("latin1").split("\r\n");
  const status = Number(first.split(" ")[1]);
  if (!Number.isInteger(status)) return null;
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
  const rest = bytes.subarray(split + 4);
  if (status >= 100 && status < 200 && status !== 101) return parse(rest, { method, ended });
  const head = new Answer(status, headers, Buffer.alloc(0));
  const body = bodyOf(rest, head, { method, ended });
  return body && new Answer(status, headers, body);
}

function bodyOf(rest, head, { method, ended }) {
  if (head.status === 101 || head.status === 204 || head.status === 304 || method === "HEAD") return Buffer.alloc(0);
  if (/chunked/i.test(head.header("transfer-encoding") ?? "")) return unchunk(rest);
  const length = head.header("content-length");
  if (length !== undefined) return rest.length >= Number(length) ? rest.subarray(0, Number(length)) : null;
  return ended ? rest : null;
}

function unchunk(rest) {
  const parts = [];
  for (let at = 0; ; ) {
    const line = rest.indexOf("\r\n", at);
    if (line < 0) return null;
    const size = parseInt(rest.subarray(at, line).toString("latin1"), 16);
    if (size === 0) return Buffer.concat(parts);
    if (rest.length < line + 2 + size + 2) return null;
    parts.push(rest.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}
