// Signing in with a real browser through a real Traefik, landing where one wanted to go, and signing out.
import assert from "node:assert/strict";
import { openAndSignIn, setPassword, signIn, signOut, submit } from "./harness/browser.mjs";
import { suite } from "./harness/suite.mjs";
import { AUTH, PASSWORD, World } from "./harness/world.mjs";

const apps = (world) => `
app grafana "Grafana" {
    proxy "https://grafana.example.com" to="${world.echo.url}"
    access { allow group:users }
}
app wiki "Wiki" {
    proxy "https://wiki.example.com" to="${world.echo.url}"
    access { allow group:users }
}
app vault "Vault" {
    proxy "https://vault.example.com" to="${world.echo.url}"
    access { allow group:admins }
}
`;

async function asksToSignIn(page, urls) {
  for (const url of urls) {
    await page.goto(url);
    assert.equal(new URL(page.url()).origin, AUTH, `${url} asks to sign in`);
    assert.equal(await page.locator("input[name=username]").count(), 1, url);
  }
}

suite("sign-in", () => World.start("sign-in", { apps }), (test) => {
  test("a one-time link sets a password once", async (world) => {
    const page = await world.person();
    const link = await world.doorward.link("alice");
    const answer = await setPassword(page, link, PASSWORD);
    assert.ok(answer.status() < 400, `choosing a password gave ${answer.status()}`);
    world.people.set("alice", Promise.resolve());
    const again = await page.goto(link);
    assert.ok(again.status() >= 400, `the used link still answers ${again.status()}`);
    assert.equal(await page.locator("input[name=new-password]").count(), 0);
  });

  test("a person is sent to sign in and lands on the page asked for", async (world) => {
    await world.hasPassword("alice");
    const page = await world.person();
    const wanted = "https://grafana.example.com/d/abc/home?orgId=1&from=now-6h&name=%C3%A4%20b";
    await page.goto(wanted);
    assert.equal(new URL(page.url()).origin, AUTH, "the sign-in page is on the sign-in host");
    const answer = await signIn(page, "alice", PASSWORD);
    assert.equal(page.url(), wanted);
    assert.equal(answer.status(), 200);
    const view = await answer.json();
    assert.equal(view.url, "/d/abc/home?orgId=1&from=now-6h&name=%C3%A4%20b");
    assert.deepEqual(view.headers["remote-user"], ["alice"]);
    assert.deepEqual(view.headers["remote-name"], ["Alice Example"]);
    assert.deepEqual(view.headers["remote-email"], ["alice@example.com"]);
    assert.deepEqual(view.headers["remote-groups"][0].split(",").sort(), ["admins", "users"]);
  });

  test("a wrong password is refused in words and the right one still works", async (world) => {
    await world.hasPassword("bob");
    const page = await world.person();
    const refused = await openAndSignIn(page, "https://grafana.example.com/", "bob", "not the password at all");
    assert.equal(new URL(page.url()).origin, AUTH);
    assert.ok(refused.status() < 500);
    assert.notEqual((await page.locator("body").innerText()).trim(), "");
    await signIn(page, "bob", PASSWORD);
    assert.equal(page.url(), "https://grafana.example.com/");
  });

  test("one sign-in opens the second app without another question", async (world) => {
    await world.hasPassword("alice");
    const page = await world.person();
    await openAndSignIn(page, "https://grafana.example.com/", "alice", PASSWORD);
    const answer = await page.goto("https://wiki.example.com/start?x=1");
    assert.equal(page.url(), "https://wiki.example.com/start?x=1");
    assert.equal(answer.status(), 200);
  });

  test("a second tab opened before signing in works as well", async (world) => {
    await world.hasPassword("alice");
    const first = await world.person();
    const second = await first.context().newPage();
    await first.goto("https://grafana.example.com/first");
    await second.goto("https://grafana.example.com/second");
    await signIn(first, "alice", PASSWORD);
    assert.equal(first.url(), "https://grafana.example.com/first");
    await signIn(second, "alice", PASSWORD);
    assert.equal(second.url(), "https://grafana.example.com/second");
  });

  test("a user without access gets a 403 page that names the app", async (world) => {
    await world.hasPassword("bob");
    const page = await world.person();
    const answer = await openAndSignIn(page, "https://vault.example.com/secret", "bob", PASSWORD);
    assert.equal(answer.status(), 403);
    assert.equal(new URL(page.url()).hostname, "vault.example.com");
    const text = await page.locator("body").innerText();
    assert.match(text, /Vault/);
    assert.match(text, /[0-9A-Za-z_-]{6,}/, "a reference id");
    assert.match(answer.headers()["content-security-policy"] ?? "", /default-src 'none'/);
  });

  test("the portal lists the apps a person may use and no others", async (world) => {
    await world.hasPassword("bob");
    const page = await world.person();
    await openAndSignIn(page, `${AUTH}/`, "bob", PASSWORD);
    assert.equal(await page.getByRole("link", { name: /Grafana/ }).count(), 1);
    assert.equal(await page.getByRole("link", { name: /Vault/ }).count(), 0);
    await page.getByRole("link", { name: /Grafana/ }).click();
    await page.waitForURL("https://grafana.example.com/");
  });

  test("signing out ends the session at every app", async (world) => {
    await world.hasPassword("alice");
    const page = await world.person();
    await openAndSignIn(page, "https://grafana.example.com/", "alice", PASSWORD);
    await page.goto("https://wiki.example.com/");
    await signOut(page, `${AUTH}/`);
    await asksToSignIn(page, ["https://grafana.example.com/", "https://wiki.example.com/", `${AUTH}/`]);
  });

  test("signing out at an app ends the sign-in session and every other app's", async (world) => {
    await world.hasPassword("alice");
    const page = await world.person();
    await openAndSignIn(page, "https://grafana.example.com/", "alice", PASSWORD);
    await page.goto("https://wiki.example.com/");
    await page.goto("https://grafana.example.com/.doorward/sign-out");
    assert.equal(new URL(page.url()).origin, AUTH);
    const form = page.locator('form[action$="/sign-out"]');
    if (await form.count()) await submit(page, form);
    await asksToSignIn(page, ["https://grafana.example.com/", "https://wiki.example.com/", `${AUTH}/`]);
  });

  test("signing in rotates the session and its cookies are closed to scripts", async (world) => {
    await world.hasPassword("alice");
    const page = await world.person();
    await openAndSignIn(page, "https://grafana.example.com/", "alice", PASSWORD);
    const before = await page.context().cookies(AUTH);
    const own = before.find((cookie) => cookie.name === "__Host-doorward");
    const app = (await page.context().cookies("https://grafana.example.com")).find((cookie) => cookie.name === "__Host-doorward-app");
    for (const cookie of [own, app]) {
      assert.ok(cookie, "both cookies exist");
      assert.ok(cookie.httpOnly && cookie.secure && cookie.sameSite === "Lax" && cookie.path === "/", JSON.stringify(cookie));
    }
    assert.notEqual(own.value, app.value);
    await page.context().clearCookies({ name: "__Host-doorward-app" });
    await signOut(page, `${AUTH}/`);
    await openAndSignIn(page, "https://grafana.example.com/", "alice", PASSWORD);
    const after = (await page.context().cookies(AUTH)).find((cookie) => cookie.name === "__Host-doorward");
    assert.notEqual(after.value, own.value);
  });
});
