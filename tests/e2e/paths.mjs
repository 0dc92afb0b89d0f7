// Other spellings of a path never open more than the path itself (R7, security.md 8 to 10).
import assert from "node:assert/strict";
import { suite } from "./harness/suite.mjs";
import { everySpelling } from "./harness/spellings.mjs";
import { World } from "./harness/world.mjs";
import { sendBytes } from "./harness/wire.mjs";

const apps = (world) => `
app ruled "With path rules" {
    proxy "https://ruled.example.com" to="${world.echo.url}" { bypass "/public/*" reason="shared by link" }
    access {
        deny group:users path="/admin/*"
        allow group:users
    }
}
app part "Protected in part" {
    proxy "https://part.example.com" to="${world.echo.url}" { protect-only "/admin" "/admin/*" }
    access { allow group:admins }
}
app free "Without path rules" {
    proxy "https://free.example.com" to="${world.echo.url}"
    access { allow group:users }
}
`;

/** Paths that some program somewhere takes for `/private` or `/admin` although they begin with what is open. */
const FROM_PUBLIC = (target) => [
  `/public/../${target}`, `/public/%2e%2e/${target}`, `/public/%2E%2E/${target}`, `/public/.%2e/${target}`, `/public/..%2f${target}`, `/public/..%2F${target}`, `/public/..%5c${target}`, `/public/..\\${target}`,
  `/public/%2e%2e%2f${target}`, `/public/%252e%252e/${target}`, `/public/..;/${target}`, `/public/..;x=y/${target}`, `/public;/../${target}`, `/public/x/../../${target}`, `/public/./../${target}`, `/public//../${target}`,
  `/public/%00/../${target}`, `/public/..%00/${target}`, `/public/..%252f${target}`, `/public/%c0%ae%c0%ae/${target}`, `/public%2f..%2f${target}`, `/public/%5c..%5c${target}`,
];

/** Other spellings of `/admin/users`. */
const ADMIN = [
  "/ADMIN/users", "/Admin/users", "/admin;x=y/users", "/admin;/users", "/admin%2fusers", "/admin%2Fusers", "//admin/users", "/./admin/users", "/x/../admin/users", "/%61dmin/users", "/%2561dmin/users", "/admin//users",
  "/admin/./users", "/admin\\users", "/admin%5cusers", "/;/admin/users", "/admin", "/admin/", "/admin;a", "/%2e/admin/users", "/.;/admin/users", "/admin%00/users", "/admin/users%00", "/admin/%2e%2e/admin/users", "/admin%3b/users", "/admin%20/users",
];

const visit = (visitor, host, target) => visitor.fetch(`https://${host}/`, { target, headers: [["Accept", "*/*"]] });

/** The path as a lenient application would understand it. */
function lenient(url) {
  let path = url.split(/[?#]/)[0];
  for (let round = 0; round < 3; round += 1) path = path.replace(/%([0-9a-f]{2})/gi, (_, code) => String.fromCharCode(parseInt(code, 16)));
  const parts = [];
  for (const part of path.replaceAll("\\", "/").split("/")) {
    const name = part.split(";")[0].replaceAll("\0", "");
    if (name === "..") parts.pop();
    else if (name && name !== ".") parts.push(name);
  }
  return `/${parts.join("/")}`.toLowerCase();
}

suite("paths", () => World.start("paths", { apps }), (test) => {
  test("no spelling leads a stranger out of what is open", async (world) => {
    assert.equal((await visit(world.visitor(), "ruled.example.com", "/public/x")).status, 200);
    for (const path of FROM_PUBLIC("private")) {
      const answer = await visit(world.visitor(), "ruled.example.com", path);
      if (answer.ok) assert.match(lenient(answer.json().url), /^\/public(\/|$)/, `${path} reached the application`);
      assert.ok(answer.status < 500, `${path} gave ${answer.status}`);
    }
  });

  test("a query or fragment never takes part in a rule (security.md 9)", async (world) => {
    for (const path of ["/private?/public/x", "/private?x=/public/", "/private#/public/x", "/private%23/public/x", "/private%3f/public/x", "/private;/public/x", "/?/public/x", "/private?a=b&path=/public/x"]) {
      const answer = await visit(world.visitor(), "ruled.example.com", path);
      assert.ok(answer.status >= 400, `${path} gave ${answer.status}`);
    }
  });

  test("no spelling goes round a deny for a path", async (world) => {
    const bob = await world.signedIn("bob");
    assert.equal((await bob.open("https://ruled.example.com/")).status, 200);
    for (const path of [...ADMIN, ...FROM_PUBLIC("admin/users")]) {
      const answer = await visit(bob, "ruled.example.com", path);
      if (answer.ok) assert.doesNotMatch(lenient(answer.json().url), /^\/admin(\/|$)/, `${path} reached the application`);
    }
  });

  everySpelling(test, "ruled.example.com");

  test("no spelling goes round protect-only", async (world) => {
    assert.equal((await visit(world.visitor(), "part.example.com", "/api/sync")).status, 200);
    for (const path of [...ADMIN, ...FROM_PUBLIC("admin/users"), "/api/../admin", "/api/..;/admin", "/api/%2e%2e/admin", "/api/..%2fadmin"]) {
      const answer = await visit(world.visitor(), "part.example.com", path);
      if (answer.ok) assert.doesNotMatch(lenient(answer.json().url), /^\/admin(\/|$)/, `${path} reached the application`);
    }
  });

  test("an app without path rules keeps its encoded slashes", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open("https://free.example.com/");
    for (const path of ["/api/v4/projects/group%2Fname", "/api/queues/%2F/name", "/a%20b/%C3%A4?x=%2F", "/v2/a/b/manifests/1.0;x"]) {
      const answer = await visit(bob, "free.example.com", path);
      assert.equal(answer.status, 200, path);
      assert.equal(answer.json().url, path);
    }
    for (const path of ["/a%00b", "/a%0d%0ab", "/a%01"]) {
      const answer = await visit(bob, "free.example.com", path);
      assert.equal(answer.status, 400, path);
    }
  });

  test("the callback path has one spelling", async (world) => {
    for (const path of ["/.doorward/%63allback?ticket=x", "/.doorward//callback?ticket=x", "/.doorward/../.doorward/callback?ticket=x", "/.DOORWARD/callback?ticket=x", "/.doorward%2fcallback?ticket=x"]) {
      const answer = await visit(world.visitor(), "free.example.com", path);
      assert.ok(answer.status >= 300 && answer.status < 500, `${path} gave ${answer.status}`);
      assert.ok(!answer.all("set-cookie").some((line) => line.includes("doorward-app=")), path);
    }
  });

  test("malformed request lines never reach the application (security.md 8)", async (world) => {
    const lines = ["GET /%zz HTTP/1.1", "GET /% HTTP/1.1", "GET /public/%u002e%u002e/private HTTP/1.1", "GET https://ruled.example.com/private HTTP/1.1", "GET http://part.example.com/api HTTP/1.1", "GET //evil.example.org/public/x HTTP/1.1",
      "GET private HTTP/1.1", "GET * HTTP/1.1", "GET /\x01private HTTP/1.1", "GET /private\t HTTP/1.1", "GET /priv\xffate HTTP/1.1", "GET ruled.example.com:443 HTTP/1.1", "GET /public/x\x00/../private HTTP/1.1", "GET ///private HTTP/1.1", "CONNECT ruled.example.com:443 HTTP/1.1"];
    for (const line of lines) {
      const before = world.echo.seen.length;
      const bytes = Buffer.from(`${line}\r\nHost: ruled.example.com\r\nConnection: close\r\n\r\n`, "latin1");
      const status = await sendBytes({ port: world.ports.websecure, tls: true, servername: "ruled.example.com", bytes }).then((answer) => answer.status, () => "closed");
      const reached = world.echo.seen.slice(before).map((view) => view.url);
      assert.ok(reached.every((url) => /^\/public(\/|$)/.test(lenient(url)) || (line.includes("part.example.com") && !/^\/admin/.test(lenient(url)))), `${JSON.stringify(line)} (${status}) reached ${reached}`);
    }
  });
});
