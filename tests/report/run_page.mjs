// What the page of `mortise run --report` shows is what `mortise run --json` printed.
import assert from "node:assert/strict";
import { column, drawn, open, place } from "./browser.mjs";

const near = (a, b, what) => assert.ok(Math.abs(a - b) <= 1.5, `${what}: drawn at ${a}, belongs at ${b}`);
const sum = (list) => list.reduce((a, b) => a + b, 0);

// The tallies, the tables and the bars against the JSON.
export async function shows(page, json) {
  const tallies = await page.$$eval("[data-tally]", (all) => Object.fromEntries(all.map((e) => [e.dataset.tally.split(" of ")[0], Number(e.dataset.value)])));
  assert.equal(tallies.operations, json.ops);
  assert.equal(tallies["of a core"], json.cpu_ns);
  assert.equal(tallies["lock wait, p99"], json.wait_ns.p99);
  assert.equal(tallies["late by, p99"], json.lateness_ns.p99);
  assert.equal(tallies.overlaps, json.overlaps);

  assert.equal(sum(await column(page, "throughput", "operations")), json.ops, "the intervals add up to all operations");
  assert.equal(sum(await column(page, "turns", "how many")), json.readers + json.writers, "every task is in the histogram");
  assert.deepEqual(await column(page, "state", "value"), Object.values(json.state));

  // Bars of the state end where their values are.
  const values = Object.values(json.state);
  const bars = await drawn(page, "state", "ours");
  assert.equal(bars.length, values.length, "a bar for each key");
  for (const [i, value] of values.entries()) {
    if (value === 0) continue;
    const [x, y] = await place(page, "state", [i, value]);
    const bar = bars.find((b) => b.left < x && x < b.right);
    near(bar.top, y, `the bar of key ${i}`);
  }
}

// The places and their delays, as they are in the page's data; the longest bar ends where its value is.
async function blame(page) {
  const profile = await page.evaluate(() => JSON.parse(document.getElementById("data").textContent).profile);
  const box = await page.$("#blame");
  assert.equal(box !== null, profile !== undefined, "there is a picture of the profile, if there is one");
  if (!profile?.some((p) => p.delay_ns > 0)) return;
  assert.deepEqual(await column(page, "blame", "others waited"), profile.map((p) => p.delay_ns));
  const shown = profile.filter((p) => p.delay_ns > 0).slice(0, 12).reverse();
  const bars = await drawn(page, "blame", "ours");
  const [x, y] = await place(page, "blame", [shown.at(-1).delay_ns, shown.length - 1]);
  const bar = bars.find((b) => b.top < y && y < b.bottom);
  assert.ok(bar, "a bar for the first place");
  near(bar.right, x, "the bar of the first place");
}

// The longest wait and the longest lateness of the JSON are in the last buckets.
async function histograms(page, json) {
  for (const [id, name] of [["waits", "wait"], ["lateness", "lateness"]]) {
    const buckets = await page.evaluate((key) => JSON.parse(document.getElementById("data").textContent)[key], `${name}_histogram`);
    assert.deepEqual(await column(page, id, "how many"), buckets.map((b) => b.count));
    const last = buckets.at(-1);
    const longest = json[`${name}_ns`].max;
    assert.ok(last.from <= longest && longest < last.to, `${longest} is in ${last.from} to ${last.to}`);
    const total = sum(buckets.map((b) => b.count));
    const shapes = await drawn(page, id, "ours");
    for (const b of buckets.filter((each) => each.count > total / 50)) {
      const [x, y] = await place(page, id, [Math.max(b.from, 1), (100 * b.count) / total]);
      const bar = shapes.find((s) => Math.abs(s.left - x) <= 2);
      assert.ok(bar, `a bar from ${b.from}`);
      near(bar.top, y, `the bar from ${b.from}`);
    }
  }
}

export async function blamePage(browser, file, json, how) {
  const { page, trouble, close } = await open(browser, file, how);
  assert.ok((await column(page, "blame", "others waited"))[0] > 0, "somebody was made to wait");
  await shows(page, json);
  await blame(page);
  assert.deepEqual(trouble, []);
  await close();
}

export async function runPage(browser, file, json, how) {
  const { page, trouble, close } = await open(browser, file, how);
  await shows(page, json);
  await histograms(page, json);
  await blame(page);
  assert.ok((await drawn(page, "throughput", "ours")).length > 0, "an area under the throughput");
  assert.deepEqual(trouble, []);
  await close();
}
