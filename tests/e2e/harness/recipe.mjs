// What a page of docs/recipes tells people to write.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

/** The `app` node of the page's blueprint, and the settings of its environment as the page has them. */
export async function recipe(name) {
  const page = await readFile(new URL(`../../../docs/recipes/${name}.md`, import.meta.url), "utf8");
  const app = page.match(/^app .*?^\}/ms)?.[0];
  const lines = page.match(/^```text\n(.*?)^```/ms)?.[1].trim().split("\n");
  assert.ok(app && lines, `docs/recipes/${name}.md has an app and an environment`);
  return { app, env: Object.fromEntries(lines.map((line) => line.split(/=(.*)/).slice(0, 2))) };
}
