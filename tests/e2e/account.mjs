// The portal's rooms in a real browser: found free of faults by axe-core in both themes, on a desktop and on a phone;
// and what people do in them, felt at an app behind a real Traefik.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { fill, form, openAndSignIn, signOut, submit } from "./harness/browser.mjs";
import { inspect } from "./harness/inspect.mjs";
import { suite } from "./harness/suite.mjs";
import { AUTH, PASSWORD, World } from "./harness/world.mjs";

const NAMES = ["Gitea", "Grafana", "Vaultwarden", "Immich", "Jellyfin", "Paperless", "Woodpecker"];

const apps = (world) => `
${NAMES.map((name) => `
app ${name.toLowerCase()} "${name}" category="Home" {
    proxy "https://${name.toLowerCase()}.example.com" to="${world.echo.url}"
    access { allow group:users }
}`).join("")}
app wiki "Wiki" {
    proxy "https://wiki.example.com" to="${world.echo.url}"
    authorization asked
    access { allow group:users }
}
flow asked for=consent { consent { remember days=30 } }
app lawn "Lawn" {
    proxy "https://lawn.example.com" to="${world.echo.url}"
    authorization ruled
    hidden
    access { allow group:users }
}
flow ruled for=consent { terms "${world.scratch.path("blueprints", "rules.md")}" version="1" }
`;

const before = (world) => writeFile(world.scratch.path("blueprints", "rules.md"), "# Rules\n\nKeep off the grass.\n");

suite("account", () => World.start("account", { apps, before }), (test) => {
  test("signing in and every room are free of faults in both themes, on a desktop and on a phone", async (world) => {
    await world.hasPassword("alice");
    const page = await world.person({ bypassCSP: true });
    await page.goto(`${AUTH}/`);
    await inspect(page, "name");
    await page.fill("input[name=username]", "alice");
    await submit(page, form(page, "username"));
    await inspect(page, "password");
    await page.fill("input[name=password]", "not it, not it");
    await submit(page, form(page, "password"));
    await inspect(page, "wrong-password");
    await page.fill("input[name=password]", PASSWORD);
    await submit(page, form(page, "password"));
    await inspect(page, "portal");
    for (const room of ["profile", "security", "password", "tokens", "activity"]) {
      await page.goto(`${AUTH}/${room}`);
      await inspect(page, room);
    }
    await page.goto(`${AUTH}/tokens?new=1`);
    await inspect(page, "new-token");
    await page.goto(`${AUTH}/nowhere`);
    await inspect(page, "not-found");
    await page.goto(`${AUTH}/sign-out`);
    await inspect(page, "sign-out");
  }, { limit: 120_000 });

  test("pages that few people see are free of faults too", async (world) => {
    await world.hasPassword("alice");
    await world.hasPassword("mallory");
    const page = await world.person({ bypassCSP: true });
    await openAndSignIn(page, `${AUTH}/if/admin/`, "alice", PASSWORD);
    await inspect(page, "admin");
    for (const [name, path] of [
      ["set-up-passkey", "/set-up?flow=builtin.passkey&next=%2Fsecurity"], ["set-up-totp", "/set-up?flow=builtin.setup&next=%2Fsecurity"],
      ["link-expired", "/recover?link=nothing"], ["no-mail", "/recover"], ["no-invitation", "/enroll"],
    ]) {
      await page.goto(`${AUTH}${path}`);
      await inspect(page, name);
    }
    await fill(page, "invitation", "nothing");
    await inspect(page, "wrong-invitation");
    await openAndSignIn(page, "https://lawn.example.com/", "alice", PASSWORD);
    await inspect(page, "terms");
    await signOut(page, `${AUTH}/`);
    await inspect(page, "signed-out");

    const guest = await world.person({ bypassCSP: true });
    const denied = await openAndSignIn(guest, "https://gitea.example.com/", "mallory", PASSWORD);
    assert.equal(denied.status(), 403);
    await inspect(guest, "denied");
    await guest.goto(`${AUTH}/`);
    await inspect(guest, "empty-portal");
  }, { limit: 120_000 });

  test("the portal narrows its apps while somebody types, and without a script shows all", async (world) => {
    await world.hasPassword("alice");
    const page = await world.person();
    await openAndSignIn(page, `${AUTH}/`, "alice", PASSWORD);
    const shown = () => page.locator(".app:visible").allInnerTexts();
    assert.equal((await shown()).length, NAMES.length + 1);
    await page.fill("input[type=search]", "gra");
    assert.deepEqual((await shown()).map((text) => text.split("\n")[1]), ["Grafana"]);
    await page.fill("input[type=search]", "nothing like it");
    await page.getByText("None of your applications fits.").waitFor();
    const plain = await world.person({ javaScriptEnabled: false });
    await openAndSignIn(plain, `${AUTH}/`, "alice", PASSWORD);
    assert.equal(await plain.locator(".app:visible").count(), NAMES.length + 1);
    assert.equal(await plain.locator("input[type=search]:visible").count(), 0);
  });

  test("an app password made in the portal opens its app through Traefik until it is revoked", async (world) => {
    await world.hasPassword("bob");
    const page = await world.person();
    await openAndSignIn(page, `${AUTH}/tokens?new=1`, "bob", PASSWORD);
    await page.fill("input[name=name]", "Git on the laptop");
    await page.check("input[name=app-gitea]");
    await submit(page, form(page, "once"));
    const token = await page.locator(".made .copy").last().innerText();
    assert.match(token, /^dwp_/);
    const ask = async (host) => {
      const credential = Buffer.from(`bob:${token}`).toString("base64");
      const answer = await world.visitor().fetch(`https://${host}.example.com/`, { headers: [["Authorization", `Basic ${credential}`]] });
      return answer.status;
    };
    assert.equal(await ask("gitea"), 200);
    assert.equal(await ask("grafana"), 403);
    await page.goto(`${AUTH}/tokens`);
    await submit(page, page.locator("form", { has: page.locator("[value=revoke]") }));
    assert.equal(await ask("gitea"), 401);
  });

  test("a changed password ends the session in another browser, and this one stays", async (world) => {
    await world.hasPassword("alice");
    const [here, there] = [await world.person(), await world.person()];
    for (const page of [here, there]) await openAndSignIn(page, `${AUTH}/password`, "alice", PASSWORD);
    await here.fill("input[name=password]", PASSWORD);
    for (const name of ["new-password", "new-password-again"]) await here.fill(`input[name=${name}]`, `${PASSWORD} again`);
    await submit(here, form(here, "new-password"));
    await here.getByText("Your password is changed").waitFor();
    await there.goto(`${AUTH}/`);
    assert.equal(await there.locator("input[name=username]").count(), 1);
    // Back, for whoever comes after.
    await here.goto(`${AUTH}/password`);
    await here.fill("input[name=password]", `${PASSWORD} again`);
    for (const name of ["new-password", "new-password-again"]) await here.fill(`input[name=${name}]`, PASSWORD);
    await submit(here, form(here, "new-password"));
  });

  test("an app that asks for consent is entered once it is given, in the person's language, and left when it is taken back", async (world) => {
    await world.hasPassword("bob");
    const page = await world.person({ bypassCSP: true, locale: "de-DE" });
    await openAndSignIn(page, "https://wiki.example.com/page", "bob", PASSWORD);
    await page.getByRole("heading", { name: "Wiki mitteilen, wer Sie sind?" }).waitFor();
    await inspect(page, "consent");
    await submit(page, page.locator("form", { has: page.locator("[value=allow]") }));
    assert.equal(page.url(), "https://wiki.example.com/page");
    await page.goto(`${AUTH}/security`);
    await inspect(page, "security-with-consent");
    await submit(page, page.locator("form", { has: page.locator("[value=take-back]") }));
    await page.goto("https://wiki.example.com/page");
    assert.equal(new URL(page.url()).origin, AUTH);
  });
});
