// One sign-in for several domains, an apex, a deeper name, a port and a whole sub-domain, each with rules of its own.
import assert from "node:assert/strict";
import { openAndSignIn } from "./harness/browser.mjs";
import { suite } from "./harness/suite.mjs";
import { PASSWORD, World } from "./harness/world.mjs";

const apps = (world) => [
  ["a", "https://a.example.com", "group:users"],
  ["b", "https://b.example.org", "group:users"],
  ["apex", "https://example.net", "group:users"],
  ["deep", "https://d.e.example.com", "group:users"],
  ["port", "https://f.example.com:8443", "group:users"],
  ["strict", "https://strict.example.org", "group:admins"],
].map(([slug, url, who]) => `
app ${slug} "${slug}" {
    proxy "${url}" to="${world.echo.url}"
    access { allow ${who} }
}`).join("") + `
app lab "Lab" {
    proxy-domain "lab.example.com" to="${world.echo.url}" { hosts "*.lab.example.com" }
    access { allow group:users }
}
`;

const PLACES = ["https://a.example.com/x?y=1", "https://b.example.org/x?y=1", "https://example.net/x?y=1", "https://d.e.example.com/x?y=1", "https://f.example.com:8443/x?y=1", "https://one.lab.example.com/x?y=1", "https://two.lab.example.com/x?y=1"];

suite("hosts", () => World.start("hosts", { apps, waitFor: "a.example.com" }), (test) => {
  for (const first of [0, 2, 4]) {
    test(`one sign-in at ${new URL(PLACES[first]).host} opens every other place`, async (world) => {
      await world.hasPassword("bob");
      const page = await world.person();
      await openAndSignIn(page, PLACES[first], "bob", PASSWORD);
      assert.equal(page.url(), PLACES[first]);
      for (const place of PLACES) {
        const answer = await page.goto(place);
        assert.equal(page.url(), place);
        assert.equal(answer.status(), 200, place);
        const view = await answer.json();
        assert.deepEqual(view.headers["remote-user"], ["bob"], place);
        assert.equal(view.url, "/x?y=1");
      }
    });
  }

  test("rules differ by host under the same sign-in", async (world) => {
    await world.hasPassword("bob");
    const page = await world.person();
    await openAndSignIn(page, PLACES[0], "bob", PASSWORD);
    const answer = await page.goto("https://strict.example.org/");
    assert.equal(answer.status(), 403);
  });

  test("a cookie per host, one for the whole sub-domain, none that travels further (R12)", async (world) => {
    await world.hasPassword("bob");
    const page = await world.person();
    await openAndSignIn(page, PLACES[0], "bob", PASSWORD);
    for (const place of PLACES) await page.goto(place);
    const cookies = (await page.context().cookies()).filter((cookie) => cookie.name.includes("doorward") && !/nonce|login/.test(cookie.name));
    const shared = cookies.filter((cookie) => cookie.domain.startsWith("."));
    assert.deepEqual(shared.map((cookie) => [cookie.name, cookie.domain]), [["__Secure-doorward-domain", ".lab.example.com"]]);
    for (const cookie of cookies) assert.ok(cookie.secure && cookie.httpOnly, cookie.name);
    assert.equal(new Set(cookies.map((cookie) => cookie.value)).size, cookies.length, "no two are alike");
    const lab = shared[0].value;
    for (const place of ["https://a.example.com/", "https://d.e.example.com/", "https://b.example.org/"]) {
      for (const name of ["__Secure-doorward-domain", "__Host-doorward-app"]) {
        const answer = await world.visitor().fetch(place, { headers: [["Cookie", `${name}=${lab}`]] });
        assert.equal(answer.status, 401, `${name} at ${place}`);
      }
    }
    const app = cookies.find((cookie) => cookie.domain === "a.example.com").value;
    const answer = await world.visitor().fetch("https://one.lab.example.com/", { headers: [["Cookie", `__Secure-doorward-domain=${app}`]] });
    assert.equal(answer.status, 401);
  });

  test("a name of which only the end or the beginning fits is no app of ours", async (world) => {
    const { doorward } = world;
    for (const host of ["xa.example.com", "a.example.com.evil.org", "lab.example.com", "xlab.example.com", "one.xlab.example.com", "example.net.evil.org", "sub.example.net"]) {
      const answer = await doorward.get("/auth/traefik", [["X-Forwarded-Method", "GET"], ["X-Forwarded-Proto", "https"], ["X-Forwarded-Host", host], ["X-Forwarded-Uri", "/"], ["X-Forwarded-For", "203.0.113.7"]]);
      assert.equal(answer.status, 404, host);
    }
  });
});
