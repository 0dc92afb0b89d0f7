// The first minute: no proxy, no certificate, `*.localhost` names and stand-in pages (R17).
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { openAndSignIn, setPassword } from "./harness/browser.mjs";
import { suite } from "./harness/suite.mjs";
import { PASSWORD, World } from "./harness/world.mjs";

const apps = () => `
app grafana "Grafana" {
    proxy "https://grafana.example.com" to="http://127.0.0.1:9"
    access {
        allow group:users
    }
}
app vault "Vault" {
    proxy "https://vault.example.com" to="http://127.0.0.1:9"
    access { allow group:admins }
}
`;

const at = (world, name) => `http://${name}.example.com.localhost:${world.ports.doorward}`;

/** A person in Chromium with the common password at the development address. */
async function person(world, name) {
  const page = await world.person();
  if (!world.people.has(name)) {
    const link = await world.doorward.link(name);
    const shown = new URL(link, at(world, "auth"));
    await setPassword(page, `${at(world, "auth")}${shown.pathname}${shown.search}${shown.hash}`, PASSWORD);
    world.people.set(name, Promise.resolve());
  }
  return page;
}

suite("dev", () => World.start("dev", { apps, proxy: false, dev: true }), (test) => {
  test("an app's address leads to sign-in and back to a stand-in page with the deciding rule and the headers", async (world) => {
    const page = await person(world, "bob");
    const wanted = `${at(world, "grafana")}/d/1?x=2`;
    const answer = await openAndSignIn(page, wanted, "bob", PASSWORD);
    assert.equal(page.url(), wanted);
    assert.equal(answer.status(), 200);
    const text = await page.locator("body").innerText();
    assert.match(text, /apps\.kdl:5/, text);
    assert.match(text, /Remote-User/i);
    assert.match(text, /bob/);
    assert.match(text, /Remote-Groups/i);
  });

  test("a denied person sees the refusal", async (world) => {
    const page = await person(world, "bob");
    const answer = await openAndSignIn(page, `${at(world, "vault")}/`, "bob", PASSWORD);
    assert.equal(answer.status(), 403);
  });

  test("the portal opens the apps on this machine", async (world) => {
    const page = await person(world, "bob");
    await openAndSignIn(page, `${at(world, "auth")}/`, "bob", PASSWORD);
    await page.getByRole("link", { name: /Grafana/ }).click();
    await page.waitForURL(`${at(world, "grafana")}/**`);
    assert.match(await page.locator("body").innerText(), /Remote-User/i);
  });

  test("a stranger, a bare address and an unknown host learn the right address and nothing else", async (world) => {
    for (const host of [`127.0.0.1:${world.ports.doorward}`, "nobody.localhost", "grafana.example.com", "evil.example.org"]) {
      const answer = await world.doorward.get("/", [["Host", host], ["Accept", "text/html"]]);
      assert.ok(answer.status >= 400 || answer.text.includes("auth.example.com.localhost"), `${host}: ${answer.status}`);
      assert.doesNotMatch(answer.text, /Remote-User/i, host);
      assert.match(answer.text, /auth\.example\.com\.localhost/, `${host} is told where to go`);
    }
  });

  test("a forwarded header is enough to see no stand-in page (R17)", async (world) => {
    const page = await person(world, "bob");
    await openAndSignIn(page, `${at(world, "grafana")}/`, "bob", PASSWORD);
    const cookies = (await page.context().cookies(at(world, "grafana"))).map((cookie) => `${cookie.name}=${cookie.value}`).join("; ");
    const host = new URL(at(world, "grafana")).host;
    const ask = (more) => world.doorward.get("/", [["Host", host], ["Cookie", cookies], ["Accept", "text/html"], ["Sec-Fetch-Mode", "navigate"], ...more]);
    assert.equal((await ask([])).status, 200, "without one it is shown");
    for (const name of ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Uri", "X-Real-Ip", "Forwarded", "Via", "X-Original-URL"]) {
      const answer = await ask([[name, name === "Forwarded" ? "for=203.0.113.1" : "203.0.113.1"]]);
      assert.ok(!answer.ok, `${name}: ${answer.status}`);
      assert.doesNotMatch(answer.text, /Remote-User/i, name);
    }
  });
});

/** A route that leads an app's host straight to Doorward, as a misconfigured proxy would. */
const wrongRoute = (world) => `
http:
  routers:
    wrong:
      rule: "Host(\`wrong.example.com\`) || Host(\`grafana.example.com.localhost\`)"
      entryPoints: [websecure]
      tls: {}
      service: wrong
  services:
    wrong:
      loadBalancer:
        servers: [{ url: "http://127.0.0.1:${world.ports.doorward}" }]
`;

suite(
  "dev: behind Traefik",
  () => World.start("standin", {
    apps: (world) => `${apps()}
app wrong "Routed to us" { proxy "https://wrong.example.com"; access { allow group:users } }`,
    before: (world) => writeFile(`${world.doorward.dynamic}/wrong.yml`, wrongRoute(world)),
    waitFor: "wrong.example.com",
  }),
  (test) => {
    test("an app whose upstream is away is Traefik's 502, not a stand-in page (R17)", async (world) => {
      const bob = await world.signedIn("bob");
      const answer = await bob.open("https://grafana.example.com/");
      assert.equal(answer.status, 502);
      assert.doesNotMatch(answer.text, /Remote-User/i);
    });

    test("an app's host that a proxy routes to Doorward itself shows no stand-in page (R17)", async (world) => {
      for (const host of ["wrong.example.com", "grafana.example.com.localhost"]) {
        const answer = await world.visitor().step(`https://${host}/`);
        assert.ok(answer.status >= 400, `${host}: ${answer.status}`);
        assert.doesNotMatch(answer.text, /Remote-User/i);
      }
    });
  },
);

suite(
  "dev: a proxy before a development server",
  () => World.start("dev-proxy", {
    apps, dev: true,
    before: (world) => writeFile(`${world.doorward.dynamic}/wrong.yml`, wrongRoute(world)),
    waitFor: "wrong.example.com",
  }),
  (test) => {
    test("a real Traefik in between turns the stand-in page into a 502 (R17)", async (world) => {
      const direct = await world.doorward.get("/", [["Host", new URL(at(world, "grafana")).host], ["Accept", "text/html"], ["Sec-Fetch-Mode", "navigate"]]);
      assert.equal(direct.status, 302, "without Traefik it begins a sign-in");
      const answer = await world.visitor().step("https://grafana.example.com.localhost/");
      assert.equal(answer.status, 502);
      assert.doesNotMatch(answer.text, /Remote-User/i);
    });
  },
);
