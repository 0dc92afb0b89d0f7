// Whole applications that nobody here wrote: people sign in to them in a real browser, behind a real Traefik.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { choose, signIn, submit } from "./harness/browser.mjs";
import { Parties, built } from "./harness/parties.mjs";
import { run } from "./harness/program.mjs";
import { recipe } from "./harness/recipe.mjs";
import { suite } from "./harness/suite.mjs";
import { until } from "./harness/wait.mjs";
import { AUTH, PASSWORD } from "./harness/world.mjs";

const LOCAL = "a password of Miniflux alone";
const INTRANET = "https://intranet.example.com";

const intranet = (world) => `
app intranet "Intranet" {
    oidc {
        redirect-uri "${INTRANET}/oauth2/callback"
        post-logout-redirect-uri "${INTRANET}/goodbye"
        scopes openid profile email groups
        client-secret (file)"${world.scratch.path("secrets", "intranet")}"
        refresh-token days=30
    }
    access { allow group:users }
}
`;

/** A database of its own on the scratch server that `tests/run` starts. */
async function database() {
  const server = process.env.TEST_POSTGRES_URL;
  assert.ok(server, "TEST_POSTGRES_URL names a scratch PostgreSQL server; tests/run starts one");
  const name = `miniflux_${randomBytes(6).toString("hex")}`;
  const made = await run("psql", ["--quiet", server, "--command", `create database ${name}`]);
  assert.equal(made.code, 0, made.stderr);
  const url = new URL(server);
  url.pathname = name;
  url.searchParams.set("sslmode", "disable");
  return url.href;
}

async function addMiniflux(parties, { env }) {
  const secret = await parties.secretOf("miniflux");
  const settings = {
    ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replace("THE-SECRET", secret)])),
    DATABASE_URL: await database(), RUN_MIGRATIONS: "1", DISABLE_SCHEDULER_SERVICE: "1",
    CREATE_ADMIN: "1", ADMIN_USERNAME: "bob", ADMIN_PASSWORD: LOCAL,
  };
  return parties.add("miniflux.example.com", {
    command: built("miniflux"), env: (port) => ({ ...settings, LISTEN_ADDR: `127.0.0.1:${port}` }), ready: "/healthcheck",
  });
}

const addProxy = (parties) => parties.add("intranet.example.com", {
  command: built("oauth2-proxy"),
  args: (port) => [
    "--provider=oidc", `--oidc-issuer-url=${AUTH}`, "--client-id=intranet",
    `--client-secret-file=${parties.world.scratch.path("secrets", "intranet")}`, `--redirect-url=${INTRANET}/oauth2/callback`,
    "--scope=openid profile email groups", "--code-challenge-method=S256", "--insecure-oidc-skip-nonce=false",
    "--email-domain=*", "--allowed-group=admins", "--skip-provider-button", "--skip-auth-route=^/goodbye", "--whitelist-domain=auth.example.com",
    `--cookie-secret=${randomBytes(16).toString("hex")}`, "--cookie-refresh=1s", "--pass-access-token",
    "--reverse-proxy", "--trusted-proxy-ip=127.0.0.1", `--http-address=127.0.0.1:${port}`, `--upstream=${parties.world.echo.url}`,
  ],
  ready: "/ping",
});

async function start() {
  const page = await recipe("miniflux");
  const before = (world) => world.secret("intranet", randomBytes(20).toString("hex"));
  return Parties.start("applications", { apps: (world) => `${page.app}\n${intranet(world)}`, before }, async (parties) => {
    [parties.miniflux, parties.intranet] = await Promise.all([addMiniflux(parties, page), addProxy(parties)]);
  });
}

/** Signs somebody in to Miniflux from its first page. Returns the last answer. */
async function enterMiniflux(page, { origin }, name) {
  await page.goto(origin);
  await page.getByRole("link", { name: "Sign in with Doorward" }).click();
  await page.waitForLoadState();
  return signIn(page, name, PASSWORD);
}

/** The accounts that Miniflux shows to its administrators, without the one who looks. */
async function accounts(page, { origin }) {
  await page.goto(`${origin}/users`);
  return page.locator("tr td:first-child").allInnerTexts();
}

const isIn = (page, name) => page.locator(`.logout-button[title$=" ${name}"]`).waitFor();

suite("applications", start, (test) => {
  test("Miniflux makes an account at the first sign-in, as its recipe says", async ({ world, miniflux }) => {
    await world.hasPassword("alice");
    const page = await world.person();
    await enterMiniflux(page, miniflux, "alice");
    await isIn(page, "alice");
    assert.equal(page.url(), `${miniflux.origin}/unread`);
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/miniflux.png` });
    assert.deepEqual(await accounts(page, miniflux), ["bob"]);
  });

  test("whom the rules refuse has no account in Miniflux", async ({ world, miniflux }) => {
    await world.hasPassword("mallory");
    const refused = await enterMiniflux(await world.person(), miniflux, "mallory");
    assert.deepEqual([refused.status(), new URL(refused.url()).origin], [403, AUTH]);
    const page = await world.person();
    await enterMiniflux(page, miniflux, "alice");
    assert.deepEqual(await accounts(page, miniflux), ["bob"]);
  });

  test("an account that Miniflux had before is linked by its owner", async ({ world, miniflux }) => {
    await world.hasPassword("bob");
    const page = await world.person();
    const taken = await enterMiniflux(page, miniflux, "bob");
    assert.equal(taken.status(), 400);
    assert.equal(await taken.text(), "This user already exists.");

    await signIn(page, "bob", LOCAL, await page.goto(miniflux.origin));
    await isIn(page, "bob");
    assert.deepEqual(await accounts(page, miniflux), ["alice"]);
    await page.goto(`${miniflux.origin}/authentication`);
    await page.getByRole("link", { name: "Link my Doorward account" }).click();
    await page.getByText("Your external account is now linked!").waitFor();

    await submit(page, page.locator(".logout-form"));
    await page.getByRole("link", { name: "Sign in with Doorward" }).click();
    await isIn(page, "bob");
    assert.equal((await page.goto(`${miniflux.origin}/users`)).status(), 403);
  });

  test("oauth2-proxy lets somebody through, refreshes, and is signed out of", async ({ world }) => {
    await world.hasPassword("alice");
    const page = await world.person();
    const arrived = await signIn(page, "alice", PASSWORD, await page.goto(`${INTRANET}/page`));
    const { url, headers } = await arrived.json();
    assert.equal(url, "/page");
    assert.deepEqual(headers["x-forwarded-preferred-username"], ["alice"]);
    assert.deepEqual(headers["x-forwarded-email"], ["alice@example.com"]);
    assert.deepEqual(headers["x-forwarded-groups"], ["admins,users"]);

    await until("oauth2-proxy to refresh", async () => {
      const again = (await (await page.goto(`${INTRANET}/page`)).json()).headers;
      assert.deepEqual(again["x-forwarded-user"], headers["x-forwarded-user"]);
      return again["x-forwarded-access-token"][0] !== headers["x-forwarded-access-token"][0];
    }, { every: 500 });

    const out = new URL(`${AUTH}/oauth2/sign-out`);
    out.search = new URLSearchParams({ client_id: "intranet", post_logout_redirect_uri: `${INTRANET}/goodbye` });
    await page.goto(`${INTRANET}/oauth2/sign_out?${new URLSearchParams({ rd: out.href })}`);
    await choose(page, "Sign out");
    assert.equal(page.url(), `${INTRANET}/goodbye`);
    await page.goto(`${INTRANET}/page`);
    assert.equal(new URL(page.url()).origin, AUTH);
    await page.locator("input[name=username]:visible").waitFor();
  });

  test("oauth2-proxy reads the groups, and keeps out who is in none that it wants", async ({ world }) => {
    await world.hasPassword("bob");
    const page = await world.person();
    const answer = await signIn(page, "bob", PASSWORD, await page.goto(`${INTRANET}/kept`));
    assert.deepEqual([answer.status(), new URL(answer.url()).origin], [403, INTRANET]);
    assert.deepEqual(world.echo.seen.filter((visit) => visit.url === "/kept"), []);
  });
});
