// Signing in with others: a second Doorward vouches for its people, who come in a real browser through a real Traefik.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { choose, form, setPassword, signIn, submit } from "./harness/browser.mjs";
import { Doorward } from "./harness/doorward.mjs";
import { inspect } from "./harness/inspect.mjs";
import { Scratch, freePorts } from "./harness/scratch.mjs";
import { suite } from "./harness/suite.mjs";
import { AUTH, PASSWORD, World } from "./harness/world.mjs";

const SECRET = "one secret + another % of it";

const far = (world) => `
server { listen "127.0.0.1:${world.far.port}"; metrics "127.0.0.1:${world.far.metrics}" }
settings { external-host "${world.issuer}" }
group people "People"
user octavia "Octavia Far" email="octavia@far.example" { in people }
user bobby "Bob Far" email="bob@far.example" { in people }
app near "The other place" {
    oidc {
        client-id us
        client-secret (file)"${world.far.scratch.path("secrets", "near")}"
        redirect-uri "${AUTH}/source/home"
        scopes openid profile email groups
    }
    access { allow group:people }
}
`;

const near = (world) => `
group newcomers "Newcomers"
source home "Home" {
    oidc {
        issuer "${world.issuer}"
        client-id us
        client-secret (file)"${world.scratch.path("secrets", "home")}"
        scopes openid profile email groups
    }
    may-reach "id.localhost:${world.far.port}"
    enroll newcomers
}
flow front for=authentication title="Welcome" {
    identification { accept username email; passkey-autofill; sources home }
    password
    login
}
flow newcomers for=enrollment title="Your account" {
    prompt {
        field username type=username label="Username" required
        field email type=email label="E-mail"
        field name type=text label="Name"
    }
    user-write { in newcomers }
    login
}
`;

async function start(name) {
  const [port, metrics] = await freePorts(2);
  const scratch = await Scratch.make(`${name}-far`);
  const other = new Doorward(scratch, { port, metrics });
  const world = await World.start(name, {
    base: { settings: "default-flows { authentication front }" },
    apps: (world) => {
      Object.assign(world, { far: other, issuer: `http://id.localhost:${port}` });
      return near(world);
    },
    before: async (world) => {
      await world.secret("home", SECRET);
      await scratch.folder("secrets");
      await writeFile(scratch.path("secrets", "near"), SECRET, { mode: 0o600 });
      await other.write("far.kdl", far(world));
      await other.start();
    },
  });
  const stop = world.stop.bind(world);
  world.stop = async () => {
    await stop();
    await other.stop();
    await scratch.remove();
  };
  return world;
}

/** Somebody with a password at the other place. */
async function person(world, name, options) {
  const page = await world.person({ bypassCSP: true, ...options });
  await setPassword(page, await world.far.link(name), PASSWORD);
  return page;
}

/** From the sign-in page to the other place, and back. */
async function come(page, name) {
  await page.goto(`${AUTH}/sign-in`);
  await choose(page, "Continue with Home");
  if (page.url().startsWith("http://id.localhost")) await signIn(page, name, PASSWORD);
}

const who = async (page) => {
  await page.goto(`${AUTH}/profile`);
  return page.locator("strong").first().textContent();
};

suite("sources", start, (test) => {
  test("somebody new makes an account, and is known from then on", async (world) => {
    const page = await person(world, "octavia");
    await page.goto(`${AUTH}/sign-in`);
    await inspect(page, "source-sign-in");
    await come(page, "octavia");
    await page.getByText("Have you been here before?").waitFor();
    await inspect(page, "source-whose-account");
    await choose(page, "I am new here");
    await inspect(page, "source-enroll");
    assert.equal(await page.locator("input[name=username]").inputValue(), "octavia");
    assert.equal(await page.locator("input[name=email]").inputValue(), "octavia@far.example");
    await submit(page, form(page, "username"));
    assert.equal(new URL(page.url()).pathname, "/");
    assert.equal(await who(page), "octavia");
    await page.goto(`${AUTH}/security`);
    await inspect(page, "source-security");
    await page.context().clearCookies({ domain: "auth.example.com" });
    await come(page, "octavia");
    assert.equal(await who(page), "octavia");
  });

  test("somebody with an account connects it by signing in to it", async (world) => {
    await world.hasPassword("bob");
    const page = await person(world, "bobby");
    await come(page, "bobby");
    await choose(page, "I have an account here");
    await page.getByText("Sign in once with the account that you have here").waitFor();
    await inspect(page, "source-connecting");
    await signIn(page, "bob", PASSWORD);
    assert.equal(await who(page), "bob");
    await page.context().clearCookies({ domain: "auth.example.com" });
    await come(page, "bobby");
    assert.equal(await who(page), "bob");
  });

  test("all of it works without scripts", async (world) => {
    const page = await person(world, "octavia", { javaScriptEnabled: false, bypassCSP: false });
    await come(page, "octavia");
    assert.equal(await who(page), "octavia");
  });

  test("a provider that is away is told of, and the password still works", async (world) => {
    const page = await world.person({ bypassCSP: true });
    await world.far.stop();
    await page.context().clearCookies();
    await page.goto(`${AUTH}/sign-in`);
    await choose(page, "Continue with Home");
    // What the provider said of itself is kept for an hour: the browser is sent there all the same.
    const away = page.url().startsWith("chrome-error") || page.url().startsWith("http://id.localhost");
    assert.ok(away, page.url());
    await page.goto(`${AUTH}/sign-in`);
    await signIn(page, "bob", PASSWORD);
    assert.equal(await who(page), "bob");
  });
});
