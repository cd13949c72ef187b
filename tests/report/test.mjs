// node test.mjs CHROMIUM MORTISE SAMPLE.jsonl: has the command write both pages and looks at them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { desk, open, phone, start } from "./browser.mjs";
import * as bench from "./bench_page.mjs";
import * as run from "./run_page.mjs";
import { readable } from "./readable.mjs";

const [chromium, mortise, sample] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), "mortise-page-"));
const [runFile, contendedFile, benchFile] = ["run.html", "contended.html", "bench.html"].map((name) => join(folder, name));
const json = JSON.parse(execFileSync(mortise, ["run", "--json", "--for", "500ms", "--report", runFile], { encoding: "utf8" }));
// Whether anybody waits in half a second of short sections is chance: on a busy machine often nobody does.
const somebodyWaited = async (file) => JSON.parse((await readFile(file, "utf8")).match(/ id="data"[^>]*>(.*?)<\/script>/s)[1]).profile.length > 0;
let contended;
for (let tries = 0; tries === 0 || (tries < 40 && !(await somebodyWaited(contendedFile))); ++tries)
  contended = JSON.parse(execFileSync(mortise, ["run", "--json", "--for", "500ms", "--sleep", "0", "--tasks", "thread", "--report", contendedFile], { encoding: "utf8" }));
execFileSync(mortise, ["bench", "--from", sample, "--report", benchFile]);
const lines = (await readFile(sample, "utf8")).trim().split("\n").slice(1).map((line) => JSON.parse(line));

// The control: figures that are one off, or a verdict turned, must be found.
async function wrongFiguresAreFound(browser) {
  const ofRun = await open(browser, runFile, desk);
  await assert.rejects(run.shows(ofRun.page, { ...json, ops: json.ops + 1 }));
  const [key] = Object.keys(json.state);
  await assert.rejects(run.shows(ofRun.page, { ...json, state: { ...json.state, [key]: json.state[key] + 1 } }));
  await ofRun.close();
  const ofBench = await open(browser, benchFile, desk);
  for (const spoil of [(b) => (b.met = !b.met), (b) => (b.measured *= 1.01)]) {
    const other = structuredClone(lines);
    spoil(other.flatMap((l) => l.bars).find((b) => b.met !== null));
    await assert.rejects(bench.shows(ofBench.page, other));
  }
  const other = structuredClone(lines);
  other.find((l) => l.figures?.ns).figures.ns.median += 0.001;
  await assert.rejects(bench.shows(ofBench.page, other));
  await ofBench.close();
}

const cases = {
  "a run is drawn as the JSON has it": (b) => run.runPage(b, runFile, json, desk),
  "a run is drawn as the JSON has it, on a phone in the dark": (b) => run.runPage(b, runFile, json, phone),
  "who made others wait is drawn": (b) => run.blamePage(b, contendedFile, contended, desk),
  "a benchmark is drawn as its lines have it": (b) => bench.benchPage(b, benchFile, lines, desk),
  "a benchmark is drawn as its lines have it, on a phone in the dark": (b) => bench.benchPage(b, benchFile, lines, phone),
  "the page of a run is readable": (b) => readable(b, runFile),
  "the page of a benchmark is readable": (b) => readable(b, benchFile),
  "wrong figures are found": wrongFiguresAreFound,
};
const browser = await start(chromium);
const outcomes = await Promise.all(
  Object.entries(cases).map(async ([name, property]) => {
    try {
      await property(browser);
      return `ok      ${name}`;
    } catch (error) {
      return `FAILED  ${name}\n${error.stack}`;
    }
  }),
);
await browser.close();
await rm(folder, { recursive: true });
const failed = outcomes.filter((text) => text.startsWith("FAILED")).length;
console.log(outcomes.join("\n"));
console.log(`${outcomes.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
