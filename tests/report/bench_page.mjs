// What the page of `mortise bench --report` shows is what its JSON lines say.
import assert from "node:assert/strict";
import { drawn, open, place, settled } from "./browser.mjs";

const near = (a, b, what) => assert.ok(Math.abs(a - b) <= 1.5, `${what}: drawn at ${a}, belongs at ${b}`);

const every = (lines) => lines.flatMap((line) => line.bars);

// Every bar is in the table with its verdict, and every median in a table, once.
export async function shows(page, lines) {
  const tallies = await page.$$eval("[data-tally]", (all) => Object.fromEntries(all.map((e) => [e.dataset.tally, Number(e.dataset.value)])));
  for (const [text, met] of [["bars met", true], ["bars not met", false], ["bars unknown", null]]) {
    assert.equal(tallies[text], every(lines).filter((b) => b.met === met).length, text);
  }
  const rows = await page.$$eval("#bars tbody tr", (all) => all.map((tr) => ({
    bench: tr.querySelector("[data-bench]").dataset.bench,
    verdict: tr.children[1].textContent,
    measured: tr.children[4].dataset.value,
    must: Number(tr.children[5].dataset.value),
  })));
  const wanted = lines.flatMap((line) => line.bars.map((bar) => ({ bench: line.bench, bar })));
  assert.equal(rows.length, wanted.length, "a row for each bar");
  for (const { bench, bar } of wanted) {
    const word = bar.met === null ? "unknown" : bar.met ? "✓ met" : "✗ NOT MET";
    const found = rows.find((r) => r.bench === bench && r.must === bar.value && r.verdict.startsWith(word) && (bar.measured === null || Number(r.measured) === bar.measured));
    assert.ok(found, `${bar.id} of ${bench}: ${word}, measured ${bar.measured}`);
  }
  const shown = await page.$$eval(".panel tbody td[data-value]", (all) => all.map((td) => Number(td.dataset.value)));
  for (const line of lines.filter((l) => l.figures)) {
    const first = Object.keys(line.figures).find((f) => ["ops_per_s", "ns", "p50_ns"].includes(f));
    assert.ok(shown.includes(line.figures[first].median), `${line.bench}: ${first} ${line.figures[first].median}`);
  }
}

// The bar of each contender ends at its median, ours in our colour.
async function bars(page, chart, lines, figure) {
  const colours = { ours: await drawn(page, chart, "ours"), peer: await drawn(page, chart, "peer"), ahead: await drawn(page, chart, "ahead") };
  for (const [row, line] of lines.entries()) {
    const [x, y] = await place(page, chart, [line.figures[figure].median, row]);
    const all = line.contender === "mortise" ? colours.ours : [...colours.peer, ...colours.ahead];
    const shape = all.find((s) => s.top < y && y < s.bottom);
    assert.ok(shape, `${line.bench} is drawn`);
    near(figure.startsWith("wait") ? (shape.left + shape.right) / 2 : shape.right, x, line.bench);
  }
}

// The matrix tells how many times as fast ours is as std::mutex in each cell.
async function matrix(page, lines) {
  const threads = lines.filter((l) => l.workload === "contended" && l.kind === "thread");
  const wanted = threads.filter((l) => l.contender === "mortise").map((ours) => {
    const std = threads.find((l) => l.contender === "std" && JSON.stringify(l.params) === JSON.stringify(ours.params));
    return ours.figures.ops_per_s.median / std.figures.ops_per_s.median;
  });
  const shown = await page.$$eval("#matrix table", ([first]) => [...first.querySelectorAll("tbody td[data-value]")].map((td) => Number(td.dataset.value)));
  assert.deepEqual(shown.sort(), wanted.sort());
}

export async function benchPage(browser, file, lines, how) {
  const { page, trouble, close } = await open(browser, file, how);
  await shows(page, lines);
  await matrix(page, lines);
  const uncontended = lines.filter((l) => l.workload === "uncontended" && l.figures);
  await bars(page, "uncontended/0", uncontended, "ns");
  const crowd = lines.filter((l) => l.workload === "contended" && l.params.parties === 8 && l.params.gap_ns === 200);
  const chart = await page.evaluate(() => [...document.querySelectorAll("#contended .panel")].find((p) => /8 parties, .*gap 200/.test(p.textContent)).querySelector("[data-chart]").dataset.chart);
  await bars(page, chart, crowd, "ops_per_s");
  await page.selectOption("#contended-figure", "wait_p999_ns");
  await settled(page);
  await bars(page, chart, crowd, "wait_p999_ns");
  // What could not take part says why.
  const text = await page.textContent("main");
  for (const line of lines) assert.ok(text.includes(line.failed ?? line.skipped ?? ""), line.bench);
  assert.deepEqual(trouble, []);
  await close();
}
