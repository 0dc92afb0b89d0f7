// App passwords and tokens through a real proxy: what the application gets to see of them (security.md R15).
import assert from "node:assert/strict";

export const basic = (name, password) => ["Authorization", `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`];
export const bearer = (token) => ["Authorization", `Bearer ${token}`];

/** What `doorward token create` prints. */
export async function token(world, name, app, ...more) {
  const made = await world.doorward.command("token", "create", name, "--app", app, ...more);
  if (made.code !== 0) throw new Error(`doorward token create gave ${made.code}: ${made.stdout}${made.stderr}`);
  return made.stdout.trim();
}

/** The same through every proxy. `origin` is the address of `app`, open to bob, and open to all below /public. */
export function credentials(test, origin, app) {
  const ask = (visitor, path, header, more = []) => visitor.fetch(`${origin}${path}`, { headers: [header, ["Accept", "*/*"], ...more] });
  const seen = (answer) => (answer.json().headers.authorization ?? []).filter(Boolean);

  test("a program gets in by an app password or token, and the application does not see it (R15)", async (world) => {
    const password = await token(world, "bob", app);
    const api = await token(world, "bob", app, "--api");
    for (const header of [basic("bob", password), basic("BOB@example.com", password), bearer(api)]) {
      const answer = await ask(world.visitor(), "/d", header);
      assert.equal(answer.status, 200, header[1]);
      assert.deepEqual(answer.json().headers["remote-user"], ["bob"]);
      assert.deepEqual(seen(answer), [], header[1]);
      assert.ok(!JSON.stringify(answer.json()).includes(header[1].split(" ")[1]), "it is nowhere in the request");
    }
    const open = await ask(world.visitor(), "/public/x", basic("bob", password));
    assert.equal(open.status, 200);
    assert.deepEqual(seen(open), [], "nor where everybody may go");
    assert.equal((await ask(world.visitor(), "/admin/users", basic("bob", password))).status, 403, "rules hold");
  });

  test("a credential of somebody else reaches the application as it came", async (world) => {
    const bob = await world.signedIn("bob");
    const none = await bob.open(`${origin}/`);
    assert.equal(none.json().headers.authorization, undefined, "where none came, none goes on");
    for (const header of [basic("svc", "hunter2"), bearer("eyJhbGciOi.e30.x")]) {
      const answer = await ask(bob, "/d", header);
      assert.equal(answer.status, 200);
      assert.deepEqual(seen(answer), [header[1]]);
      const open = await ask(world.visitor(), "/public/x", header);
      assert.deepEqual(seen(open), [header[1]]);
      const before = world.echo.seen.length;
      assert.equal((await ask(world.visitor(), "/d", header)).status, 401);
      assert.equal(world.echo.seen.length, before);
    }
  });

  test("a program is offered Basic, a browser is not", async (world) => {
    const program = await world.visitor().fetch(`${origin}/d`, { headers: [["Accept", "*/*"]] });
    assert.equal(program.status, 401);
    assert.match(program.all("www-authenticate").join(), new RegExp(`^Basic realm="${app}"`));
    const fetch = await world.visitor().fetch(`${origin}/d`, { headers: [["Accept", "*/*"], ["Sec-Fetch-Mode", "cors"], ["Sec-Fetch-Site", "same-origin"]] });
    assert.equal(fetch.status, 401);
    assert.doesNotMatch(fetch.all("www-authenticate").join(), /basic/i);
    const wrong = await ask(world.visitor(), "/d", basic("bob", "dwp_0000"));
    assert.equal(wrong.status, 401);
    assert.match(wrong.all("www-authenticate").join(), /^Basic /);
  });
}
