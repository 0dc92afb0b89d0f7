// Chromium: one browser per world, one context per person.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { totp } from "./totp.mjs";

const BINARY = process.env.CHROMIUM_BIN ?? "/usr/bin/chromium";

export class Browser {
  /** Every host name but those of this machine leads to `port`; addresses keep their names and standard ports. */
  static async start(port) {
    const browser = new Browser();
    browser.chromium = await chromium.launch({
      executablePath: BINARY,
      args: [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--disable-default-apps", "--no-default-browser-check",
        `--host-resolver-rules=MAP * 127.0.0.1:${port}, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1`,
      ],
    });
    return browser;
  }

  /** A person with cookies of their own. */
  async person(options = {}) {
    const context = await this.chromium.newContext({ ignoreHTTPSErrors: true, ...options });
    context.setDefaultTimeout(15_000);
    return context.newPage();
  }

  async stop() {
    await this.chromium.close();
  }
}

/** Opens an address in `page` and signs in on whatever pages the server asks for it. Returns the last answer. */
export async function openAndSignIn(page, url, name, password) {
  const answer = await page.goto(url);
  return signIn(page, name, password, answer);
}

/** Answers the sign-in pages in turn, whether user name and password are asked together or apart. */
export async function signIn(page, name, password, answer = null) {
  for (let step = 0; step < 4; step += 1) {
    const username = page.locator("input[name=username]:visible");
    const secret = page.locator("input[name=password]:visible");
    const asks = { username: await username.count(), password: await secret.count() };
    if (!asks.username && !asks.password) return answer;
    if (asks.username) await username.fill(name);
    if (asks.password) await secret.fill(password);
    const form = page.locator("form", { has: asks.password ? secret : username });
    answer = await submit(page, form);
    if (asks.password) return answer;
  }
  throw new Error(`sign-in did not end; now at ${page.url()}`);
}

/** Presses the submit button of `form` and waits for the page that follows; returns its answer. */
export async function submit(page, form) {
  const arrived = page.waitForEvent("load");
  const answered = page.waitForResponse((response) => response.request().isNavigationRequest() && response.frame() === page.mainFrame() && (response.status() < 300 || response.status() > 399));
  await form.locator("button[type=submit]").first().click();
  const [answer] = await Promise.all([answered, arrived]);
  return answer;
}

/** Signs out by the portal's own button, which may be in a closed menu. */
export async function signOut(page, portal) {
  await page.goto(portal);
  const menu = page.locator("details:not([open]) > summary");
  if (await menu.count()) await menu.first().click();
  return submit(page, page.locator('form[action$="/sign-out"]'));
}

/** Chooses a password at a set-up link. */
export async function setPassword(page, link, password) {
  await page.goto(link);
  await page.fill("input[name=new-password]", password);
  await page.fill("input[name=new-password-again]", password);
  return submit(page, page.locator("form", { has: page.locator("input[name=new-password]") }));
}

/** The form that has this field. */
export function form(page, field) {
  return page.locator("form", { has: page.locator(`[name=${field}]`) });
}

/** Fills one field and sends its form. */
export async function fill(page, field, value) {
  await page.fill(`input[name=${field}]:visible`, value);
  return submit(page, form(page, field));
}

/** Presses a button that leads to another page. */
export async function choose(page, words) {
  const loaded = page.waitForEvent("load");
  await page.getByRole("button", { name: words }).click();
  await loaded;
}

/** Reads the secret that is shown, gives its first code and saves the recovery codes, which `see` may look at. */
export async function setUpTotp(page, see) {
  await page.getByText("Type it by hand").click();
  const secret = await page.locator(".secret code").innerText();
  await fill(page, "code", totp(secret));
  const codes = await page.locator(".codes code").allInnerTexts();
  assert.equal(codes.length, 10);
  await see?.(page);
  await page.check("input[name=saved]");
  const answer = await submit(page, form(page, "saved"));
  return { secret, codes, answer };
}
