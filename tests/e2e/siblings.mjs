// A hostile application on a sibling host, in a real browser: same site, so `SameSite` alone stops nothing (R12, R13).
import assert from "node:assert/strict";
import { openAndSignIn, submit } from "./harness/browser.mjs";
import { suite } from "./harness/suite.mjs";
import { AUTH, PASSWORD, World } from "./harness/world.mjs";

const apps = (world) => `
app grafana "Grafana" {
    proxy "https://grafana.example.com" to="${world.echo.url}"
    access { allow group:users }
}
app evil "Hostile" {
    proxy "https://evil.example.com" to="${world.echo.url}"
    access { allow everyone }
}
app far "Hostile on another site" {
    proxy "https://evil.example.org" to="${world.echo.url}"
    access { allow everyone }
}
`;

const GRAFANA = "https://grafana.example.com";
const HOSTILE = ["https://evil.example.com", "https://evil.example.org"];
const escape = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** A signed-in person in Chromium. */
async function person(world, name = "alice") {
  await world.hasPassword(name);
  const page = await world.person();
  await openAndSignIn(page, `${GRAFANA}/`, name, PASSWORD);
  return page;
}

/** Whether the browser still reaches Grafana without being asked to sign in. */
async function stillSignedIn(page) {
  await page.goto(`${GRAFANA}/check`);
  return page.url() === `${GRAFANA}/check`;
}

/** A form of the page as a hostile page would copy it: with all hidden fields. */
function copyForm(page, selector) {
  return page.locator(selector).evaluate((form) => ({ action: form.action, fields: [...new FormData(form)] }));
}

/** A page that posts `form` by itself. */
function autoPost({ action, fields }) {
  const inputs = fields.map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`).join("");
  return `<!doctype html><title>hostile</title><form id="f" method="post" action="${escape(action)}">${inputs}</form><script>document.getElementById("f").submit()</script>`;
}

suite("siblings", () => World.start("siblings", { apps }), (test) => {
  test("a sibling that posts our sign-out form, tokens included, signs nobody out (R13)", async (world) => {
    const page = await person(world);
    await page.goto(`${AUTH}/`);
    const form = await copyForm(page, 'form[action$="/sign-out"]');
    world.echo.page("/post", autoPost(form));
    for (const host of HOSTILE) {
      const arrived = page.waitForResponse((response) => response.url().startsWith(form.action) && response.request().method() === "POST");
      await page.goto(`${host}/post`);
      const answer = await arrived;
      assert.ok(answer.status() >= 400, `${host}: ${answer.status()}`);
      assert.ok(await stillSignedIn(page), `${host} signed the person out`);
    }
    assert.ok(await stillSignedIn(page));
  });

  test("a sibling that sends people to sign-out has them asked first (R13)", async (world) => {
    const page = await person(world);
    world.echo.page("/link", `<!doctype html><a id="own" href="${GRAFANA}/.doorward/sign-out">x</a><a id="alias" href="${GRAFANA}/outpost.goauthentik.io/sign_out">y</a>`);
    for (const host of HOSTILE) {
      for (const id of ["own", "alias"]) {
        await page.goto(`${host}/link`);
        await Promise.all([page.waitForNavigation(), page.click(`#${id}`)]);
        assert.equal(new URL(page.url()).origin, AUTH, `${host} ${id} leads to ${page.url()}`);
        assert.ok(await stillSignedIn(page), `${host}: following a link to sign-out was enough`);
      }
    }
    await page.goto(`${HOSTILE[0]}/link`);
    await Promise.all([page.waitForNavigation(), page.click("#own")]);
    await submit(page, page.locator('form[action$="/sign-out"]'));
    assert.equal(await stillSignedIn(page), false, "saying yes signs out");
  });

  test("a sibling that loads sign-out as an image or frame does nothing (R13)", async (world) => {
    const page = await person(world);
    world.echo.page("/embed", `<!doctype html><img src="${GRAFANA}/.doorward/sign-out"><img src="${AUTH}/sign-out"><iframe src="${AUTH}/"></iframe>`);
    for (const host of HOSTILE) {
      await page.goto(`${host}/embed`, { waitUntil: "load" });
      const frame = page.frames().find((one) => one !== page.mainFrame());
      const text = await frame.evaluate(() => document.body?.innerText ?? "").catch(() => "");
      assert.doesNotMatch(text, /Grafana/, "the portal cannot be framed");
      assert.ok(await stillSignedIn(page), host);
    }
  });

  test("a sibling cannot post a sign-in with its own account (R13)", async (world) => {
    await world.hasPassword("mallory");
    const page = await world.person();
    await page.goto(`${AUTH}/`);
    const form = await copyForm(page, "form:has(input[name=username])");
    const fields = form.fields.map(([name, value]) => [name, name === "username" ? "mallory" : name === "password" ? PASSWORD : value]);
    world.echo.page("/login-csrf", autoPost({ action: form.action, fields }));
    // The hostile page must be reachable without a session of ours: it is served at a host of its own.
    const hostile = await world.signedIn("mallory");
    await hostile.open("https://evil.example.com/");
    await page.context().addCookies([{ name: "__Host-doorward-app", value: hostile.jar("evil.example.com").get("__Host-doorward-app"), url: "https://evil.example.com", secure: true, httpOnly: true, sameSite: "Lax" }]);
    const arrived = page.waitForResponse((response) => response.request().method() === "POST");
    await page.goto("https://evil.example.com/login-csrf");
    assert.ok((await arrived).status() >= 400);
    await page.goto(`${AUTH}/`);
    assert.equal(await page.locator("input[name=username]").count(), 1, "nobody is signed in");
  });

  test("the cookie of one app is worth nothing at another (R12)", async (world) => {
    const alice = await world.signedIn("alice");
    for (const url of [`${GRAFANA}/`, "https://evil.example.com/"]) assert.equal((await alice.open(url)).status, 200);
    const theirs = alice.jar("evil.example.com").get("__Host-doorward-app");
    const ours = alice.jar("grafana.example.com").get("__Host-doorward-app");
    const own = alice.jar("auth.example.com").get("__Host-doorward");
    assert.ok(theirs && ours && own && new Set([theirs, ours, own]).size === 3);
    const ask = (cookie) => world.visitor().fetch(`${GRAFANA}/`, { headers: [["Cookie", cookie], ["Accept", "*/*"]] });
    assert.equal((await ask(`__Host-doorward-app=${ours}`)).status, 200);
    for (const cookie of [`__Host-doorward-app=${theirs}`, `__Host-doorward=${own}`, `__Host-doorward-app=${own}`, `doorward-app=${ours}`, `__Secure-doorward-domain=${ours}`]) {
      assert.equal((await ask(cookie)).status, 401, cookie.split("=")[0]);
    }
    const portal = await world.visitor().fetch(`${AUTH}/`, { headers: [["Cookie", `__Host-doorward=${theirs}`], ["Accept", "text/html"]] });
    assert.doesNotMatch(portal.text, /Grafana<|>Sign out/, "an app's cookie does not open the portal");
  });

  test("two cookies of one name are nobody's (R12)", async (world) => {
    const alice = await world.signedIn("alice");
    await alice.open(`${GRAFANA}/`);
    const ours = alice.jar("grafana.example.com").get("__Host-doorward-app");
    for (const cookies of [[`__Host-doorward-app=tossed; __Host-doorward-app=${ours}`], [`__Host-doorward-app=${ours}; __Host-doorward-app=tossed`], [`__Host-doorward-app=${ours}`, "__Host-doorward-app=tossed"]]) {
      const answer = await world.visitor().fetch(`${GRAFANA}/`, { headers: [...cookies.map((one) => ["Cookie", one]), ["Accept", "*/*"]] });
      assert.equal(answer.status, 401, cookies.join(" | ").slice(0, 60));
    }
  });

  test("a sibling cannot finish its own ticket in another person's browser (R13)", async (world) => {
    const mallory = await world.signedIn("mallory");
    let hop = await mallory.step("https://evil.example.com/");
    let url = "https://evil.example.com/";
    for (let round = 0; round < 6 && !hop.header("location")?.includes("/.doorward/callback"); round += 1) {
      url = new URL(hop.header("location"), url).href;
      hop = await mallory.step(url);
    }
    const callback = new URL(hop.header("location"), url).href;
    const victim = world.visitor();
    await victim.open(callback);
    assert.equal(victim.jar("evil.example.com").get("__Host-doorward-app"), undefined, "the ticket needs the nonce of the browser that began");
  });
});
