// Looking at a page as people do: on a desktop and on a phone, in light and dark, with a screen reader.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

const DESKTOP = { width: 1280, height: 850 };
const PHONE = { width: 360, height: 740 };
const LOOKS = [["desktop", DESKTOP], ["phone", PHONE]].flatMap(([name, viewport]) =>
  ["light", "dark"].map((colorScheme) => ({ name: `${name}-${colorScheme}`, viewport, colorScheme })));

/** Faults that axe-core finds by the rules of WCAG 2.2 AA, in a few words each. */
async function faults(page) {
  await page.evaluate(await readFile(require.resolve("axe-core/axe.min.js"), "utf8"));
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  assert.ok(passes.length > 10, "axe-core looked at the page");
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
}

/**
 * Finds no fault with the page that is open, in any look; the page's person needs `bypassCSP`. `SHOTS` names a folder
 * for screenshots.
 */
export async function inspect(page, name) {
  for (const look of LOOKS) {
    await page.setViewportSize(look.viewport);
    await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: "reduce" });
    assert.deepEqual(await faults(page), [], `${name}, ${look.name}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${name}, ${look.name}: ${wide} pixels too wide`);
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}-${look.name}.png`, fullPage: true });
  }
  await page.setViewportSize(DESKTOP);
}
