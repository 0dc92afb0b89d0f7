// Second factors in a real browser: an app's rule through a real Traefik, and passkeys on a device that
// the browser plays. Passkeys need a certificate that the browser trusts, or a name under `.localhost`.
import assert from "node:assert/strict";
import { choose, fill, form, openAndSignIn, setPassword, setUpTotp, signIn, signOut, submit } from "./harness/browser.mjs";
import { suite } from "./harness/suite.mjs";
import { totp } from "./harness/totp.mjs";
import { AUTH, PASSWORD, World } from "./harness/world.mjs";

const apps = (world) => `
app wiki "Wiki" {
    proxy "https://wiki.example.com" to="${world.echo.url}"
    access { allow group:users }
}
app vault "Vault" {
    proxy "https://vault.example.com" to="${world.echo.url}"
    access { require mfa within hours=12; allow group:users }
}
`;

suite("second-factor", () => World.start("second-factor", { apps }), (test) => {
  test("an app that asks for a second factor is entered once one is set up, and the page asked for is reached", async (world) => {
    await world.hasPassword("alice");
    const page = await world.person();
    await openAndSignIn(page, "https://wiki.example.com/", "alice", PASSWORD);
    const wanted = "https://vault.example.com/secrets?name=a%20b";
    await page.goto(wanted);
    assert.equal(new URL(page.url()).origin, AUTH);
    await fill(page, "password", PASSWORD);
    await choose(page, /Authenticator app/);
    assert.equal(await page.locator(".qr svg").count(), 1, "a QR code is drawn");
    const { secret, codes, answer } = await setUpTotp(page);
    assert.equal(page.url(), wanted);
    assert.equal((await answer.json()).url, "/secrets?name=a%20b");

    // Another browser with the password is asked for the code.
    const other = await world.person();
    await openAndSignIn(other, wanted, "alice", PASSWORD);
    assert.equal(new URL(other.url()).origin, AUTH);
    assert.ok(await other.locator("input[name=remember]").isChecked());
    await fill(other, "code", totp(secret, 1));
    assert.equal(other.url(), wanted);

    // Signed out and back, the same browser is remembered, and the proof is fresh enough.
    await signOut(other, `${AUTH}/`);
    await openAndSignIn(other, wanted, "alice", PASSWORD);
    assert.equal(other.url(), wanted);

    // A recovery code instead.
    const third = await world.person();
    await openAndSignIn(third, wanted, "alice", PASSWORD);
    await third.getByRole("link", { name: /recovery code/ }).click();
    await fill(third, "code", codes[3].toUpperCase());
    assert.equal(third.url(), wanted);
  });
});

/** A device in the page's browser: one that holds passkeys and knows its owner, or what `kind` says. */
async function device(page, kind = {}) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true, ...kind,
    },
  });
  const set = (name, values) => cdp.send(`WebAuthn.${name}`, { authenticatorId, ...values });
  return {
    present: (enabled) => set("setAutomaticPresenceSimulation", { enabled }),
    verifies: (isUserVerified) => set("setUserVerified", { isUserVerified }),
    keys: async () => (await set("getCredentials", {})).credentials,
  };
}

const at = (world, name) => `http://${name}.example.com.localhost:${world.ports.doorward}`;

const withKey = (world) => `${apps(world)}
flow key for=setup title="Security key" {
    authenticator-webauthn { user-verification discouraged; resident-key discouraged }
    recovery-codes
}
`;

suite("passkey", () => World.start("passkey", { apps: withKey, proxy: false, dev: true }), (test) => {
  test("a passkey is set up where a rule asks for a factor, and signs in alone after that", async (world) => {
    const page = await world.person();
    const link = new URL(await world.doorward.link("alice"), at(world, "auth"));
    await setPassword(page, `${at(world, "auth")}${link.pathname}${link.search}`, PASSWORD);
    const owned = await device(page);
    const wanted = `${at(world, "vault")}/`;
    await openAndSignIn(page, wanted, "alice", PASSWORD);
    await fill(page, "password", PASSWORD);
    await choose(page, /Passkey/);
    await choose(page, /Create a passkey/);
    assert.equal((await owned.keys()).length, 1);
    assert.equal(await page.locator(".codes code").count(), 10);
    await page.check("input[name=saved]");
    await submit(page, form(page, "saved"));
    assert.equal(page.url(), wanted);
    assert.match(await page.locator("body").innerText(), /alice/);

    // Neither a name nor a password: the device says who it is.
    await page.goto(`${at(world, "auth")}/sign-out`);
    await owned.present(false);
    await submit(page, page.locator('form[action$="/sign-out"]'));
    await page.goto(wanted);
    assert.equal(await page.locator("input[name=username]").getAttribute("autocomplete"), "username webauthn");
    await owned.present(true);
    await page.goto(wanted);
    await page.waitForURL(wanted);
    assert.match(await page.locator("body").innerText(), /alice/);
    const [key] = await owned.keys();
    assert.ok(key.signCount >= 2, `used ${key.signCount} times`);
  });

  test("a device that does not know its owner is no way in by itself", async (world) => {
    const page = await world.person();
    const owned = await device(page);
    await owned.verifies(false);
    await page.goto(`${at(world, "auth")}/`);
    await page.getByRole("button", { name: /passkey/ }).click();
    await page.getByText("That did not work").waitFor();
    await signIn(page, "nobody", "nothing at all, really");
    assert.equal(await page.locator("input[name=password]").count(), 1);
  });

  test("a security key without a PIN counts beside the password, and never alone", async (world) => {
    const page = await world.person();
    const link = new URL(await world.doorward.link("bob"), at(world, "auth"));
    await setPassword(page, `${at(world, "auth")}${link.pathname}${link.search}`, PASSWORD);
    const key = await device(page, { protocol: "u2f", transport: "usb", hasResidentKey: false, hasUserVerification: false, isUserVerified: false });
    const wanted = `${at(world, "vault")}/`;
    await openAndSignIn(page, `${at(world, "auth")}/set-up?flow=key&next=%2Fsecurity`, "bob", PASSWORD);
    await choose(page, /Create a passkey/);
    assert.equal((await key.keys()).length, 1);
    await page.check("input[name=saved]");
    await submit(page, form(page, "saved"));
    assert.equal(new URL(page.url()).pathname, "/security");

    // Signed out, the browser forgotten: the name and the password, and then a touch.
    await page.context().clearCookies();
    await openAndSignIn(page, wanted, "bob", PASSWORD);
    assert.equal(new URL(page.url()).pathname, "/sign-in");
    await choose(page, /passkey|security key/i);
    assert.equal(page.url(), wanted);
    assert.match(await page.locator("body").innerText(), /bob/);
  });
});
