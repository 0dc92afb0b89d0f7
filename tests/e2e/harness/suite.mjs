// The test runner: named tests in order, one fixture per set, a closing line with the counts.
import { performance } from "node:perf_hooks";
import { within } from "./wait.mjs";

const sets = [];

/**
 * Declares a set of tests that share a fixture.
 * `setup` builds it (with `stop()` and `report()`), `body(test)` declares the tests, each called with the fixture.
 */
export function suite(name, setup, body) {
  const tests = [];
  body((title, act, { limit = 60_000 } = {}) => tests.push({ title, act, limit }));
  sets.push({ name, setup, tests });
}

/** A line of evidence below the running test. */
export function note(text) {
  console.log(`      ${text}`);
}

/** Runs every declared set whose `set: title` contains `only`; returns the counts. */
export async function runAll({ only = "" } = {}) {
  const count = { passed: 0, failed: 0 };
  for (const set of sets) {
    const wanted = set.tests.filter((test) => `${set.name}: ${test.title}`.toLowerCase().includes(only.toLowerCase()));
    if (wanted.length) await runSet(set, wanted, count);
  }
  return count;
}

async function runSet(set, tests, count) {
  console.log(`\n${set.name}`);
  let fixture;
  try {
    fixture = await within(`starting the fixture of ${set.name}`, 90_000, set.setup());
  } catch (error) {
    console.log(`  FAIL  (fixture)\n${indent(trace(error))}`);
    count.failed += tests.length;
    return;
  }
  try {
    for (const test of tests) await runTest(test, fixture, count);
  } finally {
    await within(`stopping the fixture of ${set.name}`, 30_000, fixture.stop()).catch((error) => console.log(indent(error.message)));
  }
}

async function runTest(test, fixture, count) {
  const start = performance.now();
  try {
    await within(`"${test.title}"`, test.limit, test.act(fixture));
    count.passed += 1;
    console.log(`  ok    ${test.title}  (${Math.round(performance.now() - start)} ms)`);
  } catch (error) {
    count.failed += 1;
    console.log(`  FAIL  ${test.title}\n${indent(trace(error))}`);
    const report = fixture.report?.();
    if (report) console.log(indent(report));
  }
}

/** The message and the places in the tests, without the runner's own frames. */
function trace(error) {
  const lines = (error?.stack ?? String(error)).split("\n");
  return lines.filter((line) => !/^\s+at .*(node:internal|harness\/(suite|wait)\.mjs|run\.mjs)/.test(line)).join("\n");
}

function indent(text) {
  return text.split("\n").map((line) => `        ${line}`).join("\n");
}
