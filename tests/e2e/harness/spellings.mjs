// Odd spellings of paths, and the ways in which programs read them: what a proxy lets through must be open however it is read.
import assert from "node:assert/strict";
import { note } from "./suite.mjs";
import { sendBytes } from "./wire.mjs";

/** What stands between two segments. Bytes above 0x7f are sent as they are. */
const JOINTS = [
  "/", "//", "///", "/./", "/../", "/x/../../", "/.././", "//../", "/..//", "/.../", "/....//", "/..././", "/../../",
  "/%2e/", "/%2e%2e/", "/%2E%2E/", "/.%2e/", "/%2e./", "/%2e%2E/", "%2f", "%2F", "/..%2f", "/..%2F", "%2f..%2f", "/%2e%2e%2f", "/%2f../", "%2f%2e%2e%2f",
  "/;/", ";x/", "/;x=y/", ";/../", "/..;/", "/..;x=y/", "/.;/", "/%3b/", "/..%3b/", "/%2e%2e;/", "%3b/../",
  "\\", "/\\", "/..\\", "\\..\\", "/..\\/", "%5c", "/..%5c", "%5C..%5C", "/%2e%2e%5c",
  "/%252e%252e/", "%252f", "/..%252f", "%252F..%252F", "/%25252e%25252e/", "/..%255c", "%25%32%66", "/%%32%65%%32%65/",
  "%00/", "/%00/", "/..%00/", "/%00../", "%00/../", "/../%00", "\0/../", "%/../", "/%zz/../", "/%2/../", "/%u002e%u002e/", "/%2e%2/",
  "/../?", "?/../", "?/", "%3f/", "%3F/../", "/..?/", "#/../", "/..#/", "#/", "%23/", "%23/../", "/..%23/", "?%2f..%2f",
  "/..%20/", "/%20../", "/%20/", "/..%09/", "/%0a../", "/..%0d%0a/", "/..\t/", "\t/../", " /../", "/..%7f/", "/..\x7f/",
  "/%c0%ae%c0%ae/", "/..%c0%af", "%c0%af..%c0%af", "/%e0%80%ae%e0%80%ae/", "/%ff/../", "\xff/../", "/\xc0\xae\xc0\xae/", "/\xe2\x80\xa5/", "/%e2%80%a5/", "/\xef\xbc\x8e\xef\xbc\x8e/", "/%ef%bc%8e%ef%bc%8e/", "%ef%bc%8f", "/\xc3\xa4/../", "/%C3%A4/../",
  ".", "./", "/.", "../", "%2e/", "/..", "%20/", "+/",
];

/** Spellings of the name itself. */
const names = (name) => {
  const escaped = `%${name.charCodeAt(0).toString(16)}`;
  const [first, rest, last] = [name[0], name.slice(1), name.slice(0, -1)];
  return [name, name.toUpperCase(), first.toUpperCase() + rest, escaped + rest, escaped.toUpperCase() + rest, `%25${escaped.slice(1)}${rest}`, `${last}%${name.at(-1).charCodeAt(0).toString(16)}`, `${name}.`, `${name}..`, `${name}%20`, `${name}%2e`, `${name};x`, `${name}%3bx`, `${name}%00`, `.${name}`, `;${name}`, `%20${name}`, `${name}x`, `${name}\xe2\x80\x8b`, `${name}%e2%80%8b`, `${first}\xc2\xad${rest}`];
};

/**
 * The tests of one proxy in front of an app with `bypass "/public/*"` and `deny path="/admin/*"`: gate and application
 * read the same path (security.md 8 to 10).
 */
export function everySpelling(test, host) {
  test("what reaches the application without a session is open however it is read (security.md 10)", async (world) => {
    const targets = spellings(host, "public", "private");
    const found = await reached(world, host, targets);
    assert.ok(found.some(({ url }) => url === "/public/x"), "the open path is open");
    assert.equal(misread(found, (path) => /^\/public(\/|$)/.test(path)), "");
    note(`${targets.length} spellings, ${found.length} reached the application`);
  }, { limit: 120_000 });

  test("what reaches the application with a session is not denied however it is read (security.md 10)", async (world) => {
    const bob = await world.signedIn("bob");
    assert.equal((await bob.open(`https://${host}/`)).status, 200);
    const targets = spellings(host, "free", "admin");
    const found = await reached(world, host, targets, [["Cookie", bob.cookieFor(`https://${host}`)]]);
    assert.ok(found.some(({ url }) => url === "/free/x"), "the free path is free");
    assert.equal(misread(found, (path) => !/^\/admin(\/|$)/i.test(path)), "");
    note(`${targets.length} spellings, ${found.length} reached the application`);
  }, { limit: 120_000 });
}

/** Request targets made of what is `open` and what is `closed`, two names of first segments. */
function spellings(host, open, closed) {
  const paths = new Set();
  for (const joint of JOINTS) {
    for (const [left, right] of [[open, closed], [closed, open]]) {
      for (const path of [`/${left}${joint}${right}`, `/${left}/x${joint}${right}`, `/${left}${joint}${right}/x`, `/${left}/x${joint}../${right}/x`]) paths.add(path);
    }
    for (const name of [open, closed]) for (const path of [`${joint}${name}/x`, `/${name}${joint}`, `/${name}${joint}x`, `/x${joint}${name}/x`, `/x${joint}../${name}/x`]) paths.add(path);
  }
  for (const name of [open, closed]) for (const spelt of names(name)) for (const path of [`/${spelt}`, `/${spelt}/x`, `/${spelt}/../${open}/x`, `/${open}/../${spelt}/x`]) paths.add(path);
  const absolute = [`/${open}/x`, `/${closed}/x`, `/${open}/../${closed}/x`, `/${open}/%2e%2e/${closed}/x`, "", `?/${open}/x`, `/${closed}?/${open}/x`, `/${closed}#/${open}/x`];
  const origins = [`https://${host}`, `http://${host}`, `HTTPS://${host.toUpperCase()}`, `https://${host}:443`, `https://x@${host}`, "https://elsewhere.example.com", `//${host}`, `https:/${host}`, `https:${host}`, host];
  return [...paths, ...origins.flatMap((origin) => absolute.map((path) => origin + path)), "*", "", open, `${open}/x`, "."];
}

/** The paths that programs would find in what reached them, by the name of the reading. */
function readings(url) {
  const raw = url.replace(/^[a-z]+:\/\/[^/?#]*/i, "").split(/[?#]/)[0];
  const once = decoded(raw);
  // RFC 3986 §6.2.2.2: an escaped letter is that letter.
  const plain = raw.replace(/%(?:4[1-9a-f]|5[0-9a]|6[1-9a-f]|7[0-9a]|3[0-9]|2[de]|5f|7e)/gi, decoded);
  return { "as sent": plain, "dots removed": tidy(plain), "decoded": once, "decoded, dots removed": tidy(once), "leniently": lenient(raw) };
}

function decoded(text) {
  return text.replace(/%([0-9a-f]{2})/gi, (_, code) => String.fromCharCode(parseInt(code, 16)));
}

/** RFC 3986 §5.2.4, and empty segments merged. */
function tidy(path) {
  const parts = [];
  for (const part of path.split("/").slice(1)) {
    if (part === "..") parts.pop();
    else if (part && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** As the most careless program would: decoded to the end, with parameters cut and backslashes turned. */
function lenient(path) {
  let text = path;
  for (let round = 0; round < 3; round += 1) text = decoded(text);
  const parts = text.split(/[?#]/)[0].replaceAll("\\", "/").split("/");
  return tidy(parts.map((part) => part.split(";")[0].replaceAll("\0", "")).join("/")).toLowerCase();
}

/** Sends every target byte for byte and returns what reached the application: `{ target, status, url }` for each. */
async function reached(world, host, targets, headers = []) {
  const found = [];
  const lines = [["Host", host], ["Accept", "*/*"], ["Connection", "close"], ...headers].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  for (const target of targets) {
    const before = world.echo.seen.length;
    const bytes = Buffer.from(`GET ${target} HTTP/1.1\r\n${lines}\r\n`, "latin1");
    const status = await sendBytes({ port: world.ports.websecure, tls: true, servername: host, bytes }).then((answer) => answer.status, () => "closed");
    for (const view of world.echo.seen.slice(before)) found.push({ target, status, url: view.url });
  }
  return found;
}

/** A table of those that some program would read as a path that is not allowed; empty if there is none. */
function misread(found, isAllowed) {
  const rows = found.flatMap(({ target, status, url }) => {
    const bad = Object.entries(readings(url)).find(([, path]) => !isAllowed(path));
    return bad ? [[target, String(status), url, `${bad[0]}: ${bad[1]}`]] : [];
  });
  if (!rows.length) return "";
  const all = [["sent", "status", "the application saw", "reads it"], ...rows].map((row) => row.map((cell) => JSON.stringify(cell).slice(1, -1)));
  const widths = all[0].map((_, at) => Math.max(...all.map((row) => row[at].length)));
  return `\n${all.map((row) => row.map((cell, at) => cell.padEnd(widths[at])).join("  ")).join("\n")}\n`;
}
