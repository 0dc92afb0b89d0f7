// App passwords and API tokens through a real Traefik, with a real Git as the program.
import assert from "node:assert/strict";
import { basic, credentials, token } from "./harness/credentials.mjs";
import { run } from "./harness/program.mjs";
import { suite } from "./harness/suite.mjs";
import { World } from "./harness/world.mjs";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

const apps = (world) => `
app open "Open to users" {
    proxy "https://open.example.com" to="${world.echo.url}" { bypass "/public/*" reason="shared by link" }
    access {
        deny group:users path="/admin/*"
        allow group:users
    }
}
app git "Git" {
    proxy "https://git.example.com:${world.ports.websecure}" to="${world.echo.url}"
    access { allow group:users }
}
`;

/** What Git lists at the repository; `user` stands before the host. */
const remote = (world, user) => run("git", [
  "-c", "http.sslVerify=false", "-c", "credential.helper=", "-c", `http.curloptResolve=git.example.com:${world.ports.websecure}:127.0.0.1`,
  "ls-remote", `https://${user}git.example.com:${world.ports.websecure}/home.git`,
], { env: { GIT_TERMINAL_PROMPT: "0" } });

suite("tokens", () => World.start("tokens", { apps }), (test) => {
  credentials(test, "https://open.example.com", "open");

  test("Git clones with an app password and not without", async (world) => {
    const text = { "content-type": "text/plain" };
    world.echo.page("/home.git/info/refs", `${COMMIT}\trefs/heads/main\n`, text);
    world.echo.page("/home.git/HEAD", "ref: refs/heads/main\n", text);
    const password = await token(world, "bob", "git");
    const listed = await remote(world, `bob:${password}@`);
    assert.equal(listed.code, 0, listed.stderr);
    assert.match(listed.stdout, new RegExp(`${COMMIT}\\s+refs/heads/main`));
    const visits = world.echo.seen.filter((view) => view.url.startsWith("/home.git"));
    assert.ok(visits.length > 0 && visits.every((view) => !view.headers.authorization), "the application saw the credential");
    const before = world.echo.seen.length;
    assert.notEqual((await remote(world, "")).code, 0);
    assert.notEqual((await remote(world, `alice:${password}@`)).code, 0, "another name");
    assert.equal(world.echo.seen.length, before);
  });

  test("a revoked app password fails on the next request", async (world) => {
    const header = basic("bob", await token(world, "bob", "open", "--name", "short-lived"));
    const ask = () => world.visitor().fetch("https://open.example.com/d", { headers: [header, ["Accept", "*/*"]] });
    assert.equal((await ask()).status, 200);
    const list = await world.doorward.command("token", "list", "bob", "--json");
    const { id } = JSON.parse(list.stdout).find((one) => one.name === "short-lived");
    assert.equal((await world.doorward.command("token", "revoke", id)).code, 0);
    assert.equal((await ask()).status, 401);
  });
});
