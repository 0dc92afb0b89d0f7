// WebSocket handshakes through Traefik: 101, 401 or 403, never a redirect.
import assert from "node:assert/strict";
import { openAndSignIn } from "./harness/browser.mjs";
import { suite } from "./harness/suite.mjs";
import { handshake } from "./harness/websocket.mjs";
import { PASSWORD, World } from "./harness/world.mjs";

const apps = (world) => `
app term "Terminal" {
    proxy "https://term.example.com" to="${world.echo.url}"
    access { allow group:admins }
}
app sibling "Sibling" {
    proxy "https://sibling.example.com" to="${world.echo.url}"
    access { allow everyone }
}
`;

const TERM = "https://term.example.com";
const connect = (visitor, options) => visitor.fetch(`${TERM}/socket`, { headers: handshake(options) });

suite("websocket", () => World.start("websocket", { apps }), (test) => {
  test("a handshake of a person with access is answered 101 with identity headers", async (world) => {
    const alice = await world.signedIn("alice");
    await alice.open(`${TERM}/`);
    for (const origin of [TERM, undefined]) {
      const answer = await connect(alice, { origin });
      assert.equal(answer.status, 101, `Origin: ${origin}`);
      const seen = world.echo.seen.at(-1);
      assert.equal(seen.url, "/socket");
      assert.deepEqual(seen.headers["remote-user"], ["alice"]);
    }
  });

  test("a handshake without a session is answered 401, never with a redirect", async (world) => {
    const before = world.echo.seen.length;
    const answer = await connect(world.visitor(), { origin: TERM });
    assert.equal(answer.status, 401);
    assert.equal(world.echo.seen.length, before);
    assert.deepEqual(answer.all("set-cookie"), []);
  });

  test("a handshake of a person without access is answered 403", async (world) => {
    const bob = await world.signedIn("bob");
    await bob.open(`${TERM}/`);
    const answer = await connect(bob, { origin: TERM });
    assert.equal(answer.status, 403);
  });

  test("a handshake from another origin is answered 403 whoever asks (R13)", async (world) => {
    const alice = await world.signedIn("alice");
    await alice.open(`${TERM}/`);
    const origins = ["https://sibling.example.com", "https://example.com", "http://term.example.com", "https://term.example.com.evil.org", "https://term.example.com:8443", "null", "https://xterm.example.com"];
    for (const origin of origins) {
      const answer = await connect(alice, { origin });
      assert.equal(answer.status, 403, origin);
    }
  });

  test("Chromium opens the socket from its own page and not from a sibling's (R13)", async (world) => {
    await world.hasPassword("alice");
    world.echo.page("/page", "<!doctype html><title>page</title>");
    const page = await world.person();
    await openAndSignIn(page, `${TERM}/page`, "alice", PASSWORD);
    const open = (target) => page.evaluate((url) => new Promise((done) => {
      const socket = new WebSocket(url);
      socket.onmessage = (event) => done(event.data);
      socket.onerror = () => done("refused");
    }), target);
    assert.equal(await open("wss://term.example.com/socket"), "echo");
    await page.goto("https://sibling.example.com/page");
    assert.equal(await open("wss://term.example.com/socket"), "refused");
  });
});
