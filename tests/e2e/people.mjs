// How people come and come back, in a real browser and with real mail: invitation, recovery, another address, sessions that
// are ended from another browser.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { fill, form, openAndSignIn, setUpTotp, choose, submit } from "./harness/browser.mjs";
import { inspect } from "./harness/inspect.mjs";
import { Mailbox } from "./harness/mailbox.mjs";
import { suite } from "./harness/suite.mjs";
import { totp } from "./harness/totp.mjs";
import { AUTH, PASSWORD, World } from "./harness/world.mjs";

const CLUB = "https://club.example.com/";
const NEW = "amber violin 77 harbour";

const apps = (world) => `
${world.mailbox.blueprint}
group club "The club"
app club "Club" {
    proxy "${CLUB}" to="${world.echo.url}"
    access { allow group:club group:users }
}
app portainer "Portainer" {
    proxy "https://portainer.example.com" to="${world.echo.url}"
    access { require mfa within minutes=15; allow group:users }
}
`;

async function start(name, more = {}) {
  const mailbox = await Mailbox.start();
  const world = await World.start(name, {
    ...more,
    apps: (world) => apps(Object.assign(world, { mailbox })),
  });
  const { stop } = world;
  world.stop = async () => {
    await stop.call(world);
    await mailbox.stop();
  };
  return world;
}

async function newPassword(page, password, again = password) {
  await page.fill("input[name=new-password]", password);
  await page.fill("input[name=new-password-again]", again);
  return submit(page, form(page, "new-password"));
}

suite("people", () => start("people"), (test) => {
  test("an invitation by mail leads to an account that opens the club, and to no other", async (world) => {
    const made = await world.doorward.command("invite", "create", "--group", "club", "--email", "greta@example.net", "--mail");
    assert.equal(made.code, 0, made.stderr);
    const page = await world.person({ bypassCSP: true });
    await page.goto(await world.mailbox.link("greta@example.net", "invited"));
    await inspect(page, "enrollment");
    assert.equal(await page.locator("input[name=email]").inputValue(), "greta@example.net");
    await page.fill("input[name=username]", "Greta!");
    await page.fill("input[name=name]", "Greta");
    await newPassword(page, NEW, `${NEW}!`);
    await inspect(page, "enrollment-wrong");
    await page.fill("input[name=username]", "greta");
    await newPassword(page, NEW);
    await page.goto(CLUB);
    assert.equal(page.url(), CLUB);
    const view = JSON.parse(await page.locator("body").innerText());
    assert.deepEqual([view.headers["remote-user"], view.headers["remote-email"]], [["greta"], ["greta@example.net"]]);
    assert.equal((await page.goto("https://portainer.example.com/")).status(), 403);
  });

  test("the address is changed once the new one is verified, and the old one hears of it", async (world) => {
    const page = await world.person({ bypassCSP: true });
    await openAndSignIn(page, `${AUTH}/profile`, "greta", NEW);
    await inspect(page, "own-profile");
    await page.getByRole("link", { name: /Change/ }).click();
    await inspect(page, "new-address");
    await fill(page, "email", "greta@new.example.net");
    await inspect(page, "mail-sent");
    await page.goto(await world.mailbox.link("greta@new.example.net", "Confirm"));
    await inspect(page, "confirm-address");
    await submit(page, page.locator("main form"));
    await page.getByText("Your address is changed").waitFor();
    await world.mailbox.mail("greta@example.net", "was changed");
    await page.goto(CLUB);
    const view = JSON.parse(await page.locator("body").innerText());
    assert.deepEqual(view.headers["remote-email"], ["greta@new.example.net"]);
  });

  test("somebody who lost the password comes back by mail, and the second factor is asked for all the same", async (world) => {
    await world.hasPassword("bob");
    const page = await world.person();
    await openAndSignIn(page, `${AUTH}/set-up?flow=builtin.setup&next=%2Fsecurity`, "bob", PASSWORD);
    const { secret } = await setUpTotp(page);

    const lost = await world.person({ bypassCSP: true });
    await lost.goto(`${AUTH}/`);
    await lost.getByRole("link", { name: /Forgot/ }).click();
    await inspect(lost, "recovery");
    await fill(lost, "username", "bob");
    await inspect(lost, "recovery-sent");
    const link = await world.mailbox.link("bob@example.com", "new password");
    await lost.goto(link);
    await inspect(lost, "recovery-confirm");
    await submit(lost, lost.locator("main form"));
    await inspect(lost, "recovery-factor");
    assert.equal(await lost.locator("input[name=new-password]").count(), 0);
    await fill(lost, "code", totp(secret, 1));
    await inspect(lost, "recovery-password");
    await newPassword(lost, NEW);
    await lost.getByRole("heading", { name: /Bob Example/ }).waitFor();

    // Whoever had a session is out, and the link is used up.
    await page.goto(`${AUTH}/security`);
    assert.equal(await page.locator("input[name=username]").count(), 1);
    await page.goto(link);
    await page.getByText(/has expired/).waitFor();
  });

  test("a session is ended from another browser, at the app as well", async (world) => {
    await world.hasPassword("alice");
    const [here, there] = [await world.person({ bypassCSP: true }), await world.person({ userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0" })];
    await openAndSignIn(there, CLUB, "alice", PASSWORD);
    assert.equal(there.url(), CLUB);
    await openAndSignIn(here, `${AUTH}/security`, "alice", PASSWORD);
    await inspect(here, "security-two-sessions");
    await submit(here, here.locator("form", { has: here.locator("[name=do][value=end]") }).first());
    await there.goto(CLUB);
    assert.equal(new URL(there.url()).origin, AUTH);
    await here.goto(CLUB);
    assert.equal(here.url(), CLUB, "the own session stays");
  });

  test("a step-up leads back to the page, from an app's request too that no sign-in page may answer", async (world) => {
    await world.hasPassword("alice");
    const page = await world.person({ bypassCSP: true });
    const wanted = "https://portainer.example.com/#!/1/docker/containers";
    await openAndSignIn(page, CLUB, "alice", PASSWORD);
    await page.goto(wanted);
    await inspect(page, "step-up");
    await fill(page, "password", PASSWORD);
    await inspect(page, "choose-factor");
    await choose(page, /Authenticator app/);
    await inspect(page, "set-up-totp");
    const { secret } = await setUpTotp(page, (codes) => inspect(codes, "recovery-codes"));
    assert.equal(new URL(page.url()).origin, "https://portainer.example.com");

    // The same account elsewhere, with the password alone: the factor, and the browser is remembered.
    const other = await world.person();
    await openAndSignIn(other, wanted, "alice", PASSWORD);
    assert.equal(new URL(other.url()).origin, AUTH);
    assert.ok(await other.locator("input[name=remember]").isChecked());
    await fill(other, "code", totp(secret, 1));
    assert.equal(new URL(other.url()).origin, "https://portainer.example.com");
    assert.ok((await other.context().cookies(AUTH)).some((cookie) => cookie.name.includes("browser")), "remembered");
  });

  test("all of it works without a script", async (world) => {
    const page = await world.person({ javaScriptEnabled: false });
    await page.goto(`${AUTH}/recover`);
    await fill(page, "username", "greta");
    await page.goto(await world.mailbox.link("greta@new.example.net", "new password"));
    await submit(page, page.locator("main form"));
    await newPassword(page, PASSWORD);
    await page.getByRole("heading", { name: /Greta/ }).waitFor();
  });
});

const ARABIC = `language.name = العربية
identify.username = اسم المستخدم أو البريد الإلكتروني
portal.hello = مرحبا، {name}
portal.search = البحث
security.title = تسجيل الدخول والأمان
profile.title = الملف الشخصي
`;

suite("right-to-left", () => start("right-to-left", {
  before: async (world) => {
    await mkdir(world.scratch.path("custom-templates"), { recursive: true });
    await writeFile(world.scratch.path("custom-templates", "text.ar.txt"), ARABIC);
  },
}), (test) => {
  test("pages in Arabic run from right to left, nothing sticks out and nothing is amiss", async (world) => {
    await world.hasPassword("bob");
    const page = await world.person({ bypassCSP: true, locale: "ar-EG" });
    await page.goto(`${AUTH}/`);
    assert.equal(await page.locator("html").getAttribute("dir"), "rtl");
    await inspect(page, "rtl-name");
    const [label, input] = await Promise.all(["label[for=username]", "input[name=username]"].map((each) => page.locator(each).boundingBox()));
    const right = (box) => box.x + box.width;
    assert.ok(Math.abs(right(label) - right(input)) < 4, "the label begins where its field does, at the right");
    await openAndSignIn(page, `${AUTH}/`, "bob", PASSWORD);
    await inspect(page, "rtl-portal");
    for (const room of ["security", "profile", "activity", "tokens"]) {
      await page.goto(`${AUTH}/${room}`);
      await inspect(page, `rtl-${room}`);
    }
  });
});
