// The page of `mortise run --report`: throughput over time, how long the lock and the ends of sleeps were waited for, how often
// each task had a turn, and the state.
import { Chart, axis, rectangle, tooltip } from "./charts.js";
import { facts, folded, h, section, table } from "./dom.js";
import { count, nanoseconds, percent, readable } from "./format.js";

function panel(page, title, id, about, chart, figures) {
  const box = section(page, title, id);
  box.append(h("p", {}, about));
  if (!chart) return;
  box.append(h("div", { class: "panel" }, chart.box, folded("Figures", figures)));
  chart.draw();
}

function head(page, run) {
  document.title = `mortise run: ${count(run.ops)} operations`;
  const seconds = run.duration_ns / 1e9;
  page.append(h("h1", {}, "A run of the seed's program"));
  page.append(h("p", {}, `${count(run.readers)} readers and ${count(run.writers)} writers on ${run.tasks}s share a map behind ${run.lock === "none" ? "no lock" : `${run.lock}'s mutex`} for ${seconds.toFixed(2)} s.`));
  const sound = run.overlaps === 0 && run.map_mismatches === 0;
  if (!sound) page.append(h("p", { class: "trouble", role: "alert" }, `Nothing kept them apart: ${count(run.overlaps)} overlaps, ${count(run.map_mismatches)} mismatches of the map.`));
  if (run.interrupted) page.append(h("p", { class: "trouble" }, "The run was interrupted."));
  const limit = run.limit_ops_per_s === null ? "" : ` of ${count(run.limit_ops_per_s * seconds)} possible`;
  const tally = (value, text, name, raw) => h("li", {}, h("b", { class: name, "data-tally": text, "data-value": raw }, value), text);
  page.append(h("ul", { class: "tally", "aria-label": "In short" },
    tally(count(run.ops), `operations${limit}`, null, run.ops),
    tally(run.duration_ns > 0 ? percent((100 * run.cpu_ns) / run.duration_ns) : "–", "of a core", null, run.cpu_ns),
    tally(run.wait_histogram.length > 0 ? nanoseconds(run.wait_ns.p99) : "–", "lock wait, p99", null, run.wait_ns.p99),
    tally(run.lateness_histogram.length > 0 ? nanoseconds(run.lateness_ns.p99) : "–", "late by, p99", null, run.lateness_ns.p99),
    tally(count(run.overlaps), "overlaps", sound ? "good" : "bad", run.overlaps)));
}

function throughput(page, run) {
  const samples = run.throughput.slice(1).map((s, i) => {
    const before = run.throughput[i];
    return { from: before.ns, to: s.ns, ops: s.ops - before.ops, rate: ((s.ops - before.ops) * 1e9) / (s.ns - before.ns) };
  });
  const limit = run.limit_ops_per_s || null; // none where nobody sleeps, and where there is nobody
  const told = (s) => `${(s.from / 1e9).toFixed(3)} to ${(s.to / 1e9).toFixed(3)} s<br>${readable("ops_per_s", s.rate)}`;
  const chart = samples.length === 0 ? null : new Chart("throughput", `Operations a second over ${samples.length} intervals, on average ${readable("ops_per_s", run.ops_per_s)}`, (colour) => ({
    height: 280,
    option: {
      xAxis: axis(colour, { type: "value", min: 0, max: run.duration_ns / 1e9, splitLine: { show: false }, axisLabel: { formatter: (v) => `${Number(v.toFixed(3))} s`, showMaxLabel: false } }),
      yAxis: axis(colour, { type: "value", min: 0, axisLabel: { formatter: (v) => readable("ops_per_s", v) } }),
      grid: { left: 4, right: 12, top: 28, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      tooltip: tooltip(colour, {
        trigger: "axis",
        formatter: ([{ dataIndex: i }]) => told(samples[Math.max(i - 1, 0)]),
      }),
      series: [{
        type: "line",
        step: "end",
        symbol: "none",
        lineStyle: { color: colour("ours"), width: 2 },
        itemStyle: { color: colour("ours") },
        areaStyle: { color: colour("ours"), opacity: 0.12 },
        data: [[0, samples[0].rate], ...samples.map((s) => [s.to / 1e9, s.rate])],
        markLine: limit === null ? undefined : {
          silent: true, symbol: "none", lineStyle: { color: colour("mark"), type: "dashed" },
          label: { position: "insideEndTop", color: colour("muted"), formatter: `possible: ${readable("ops_per_s", limit)}` },
          data: [{ yAxis: limit }],
        },
      }],
    },
  }));
  const columns = [{ title: "until", number: true }, { title: "operations", number: true }, { title: "a second", number: true }];
  const rows = samples.map((s) => [nanoseconds(s.to), { text: count(s.ops), value: s.ops }, readable("ops_per_s", s.rate)]);
  const more = `On average ${readable("ops_per_s", run.ops_per_s)}${limit === null ? "" : `, ${percent((100 * run.ops_per_s) / limit)} of what is possible if no sleep ended late`}.`;
  panel(page, "Throughput", "throughput", more, chart, table("Operations in each interval", columns, rows));
}

// buckets: [{from, to, count}], durations or turns. On a logarithmic axis for durations.
function histogram(page, { title, id, about, buckets, unit, log, empty = "Nothing was timed." }) {
  const total = buckets.reduce((sum, b) => sum + b.count, 0);
  const share = (n) => (100 * n) / total;
  const low = (b) => (log ? Math.max(b.from, 1) : b.from);
  // Whole powers of ten, or a little more than there is.
  const range = () => {
    const [from, to] = [low(buckets[0]), buckets.at(-1).to];
    if (log) return { type: "log", min: 10 ** Math.floor(Math.log10(from)), max: 10 ** Math.ceil(Math.log10(to)) };
    const spare = Math.max(3, Math.ceil((to - from) / 10));
    return { type: "value", min: Math.max(0, from - spare), max: to + spare, minInterval: 1 };
  };
  const chart = total === 0 ? null : new Chart(id, `${title}: ${buckets.length} buckets, the fullest at ${unit(buckets.reduce((a, b) => (b.count > a.count ? b : a)).from)}`, (colour) => ({
    height: 240,
    option: {
      xAxis: axis(colour, { ...range(), splitLine: { show: false }, axisLabel: { formatter: (v) => unit(v) } }),
      yAxis: axis(colour, { type: "value", min: 0, max: Math.max(...buckets.map((b) => share(b.count))), axisLabel: { formatter: (v) => `${Number(v.toFixed(1))} %`, showMaxLabel: false } }),
      tooltip: tooltip(colour, { trigger: "item", formatter: ({ dataIndex: i }) => `${unit(buckets[i].from)} to ${unit(buckets[i].to)}<br>${count(buckets[i].count)}, ${percent(share(buckets[i].count))}` }),
      series: [{
        type: "custom",
        data: buckets.map((b) => [low(b), b.to, share(b.count)]),
        encode: { x: [0, 1], y: 2 },
        renderItem: (params, api) => rectangle(api, [api.value(0), 0], [api.value(1), api.value(2)], { fill: colour("ours"), stroke: colour("raised"), lineWidth: 0.5 }),
      }],
    },
  }));
  let seen = 0;
  const rows = buckets.map((b) => [unit(b.from), unit(b.to), { text: count(b.count), value: b.count }, percent(share((seen += b.count)))]);
  const columns = [{ title: "from", number: true }, { title: "below", number: true }, { title: "how many", number: true }, { title: "up to here", number: true }];
  panel(page, title, id, total === 0 ? empty : about, chart, table(title, columns, rows));
}

// "app::run(int)" of "void app::run<int>(int)": what a place is called beside its bar.
const placeName = ({ function: name, file, line }) => {
  const short = name.replaceAll("(anonymous namespace)::", "");
  const where = line > 0 ? `, ${file.split("/").at(-1)}:${line}` : "";
  return `${short.length > 48 ? `${short.slice(0, 47)}…` : short}${where}`;
};

function blame(page, run) {
  if (!run.profile) return; // of a lock that nobody looks at
  const shown = run.profile.filter((p) => p.delay_ns > 0).slice(0, 12).reverse(); // the first one on top
  const names = shown.map((p, i) => `${shown.length - i}. ${placeName(p)}`);
  const chart = shown.length === 0 ? null : new Chart("blame", `Places by how long others waited for the lock because of them; most: ${names.at(-1)}, ${nanoseconds(shown.at(-1).delay_ns)}`, (colour) => ({
    height: shown.length * 40 + 50,
    option: {
      xAxis: axis(colour, { type: "value", min: 0, axisLabel: { formatter: (v) => nanoseconds(v), hideOverlap: true } }),
      yAxis: axis(colour, { type: "category", data: names, axisLabel: { width: 260, overflow: "break" } }),
      tooltip: tooltip(colour, { trigger: "item", formatter: ({ dataIndex: i }) => `${nanoseconds(shown[i].delay_ns)} in ${count(shown[i].contentions)} holds` }),
      series: [{ type: "bar", barMaxWidth: 22, itemStyle: { color: colour("ours") }, data: shown.map((p) => p.delay_ns) }],
      grid: { left: 4, right: 24, top: 8, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    },
  }));
  const columns = [{ title: "place" }, { title: "others waited", number: true }, { title: "holds", number: true }, { title: "waited itself", number: true }, { title: "waits", number: true }];
  const rows = run.profile.map((p) => [placeName(p), { text: nanoseconds(p.delay_ns), value: p.delay_ns }, { text: count(p.contentions), value: p.contentions }, { text: nanoseconds(p.wait_ns), value: p.wait_ns }, { text: count(p.waits), value: p.waits }]);
  const about = chart ? "How long somebody waited for the lock because of who held it there, sampled." : "Nobody made others wait.";
  panel(page, "Who made others wait", "blame", about, chart, table("Delay by place", columns, rows));
}

function state(page, run) {
  const entries = Object.entries(run.state);
  const some = entries.slice(0, 100);
  const chart = some.length === 0 || entries.length > some.length ? null : new Chart("state", `The map: ${some.slice(0, 20).map(([k, v]) => `${k} is ${v}`).join(", ")}`, (colour) => ({
    height: 220,
    option: {
      xAxis: axis(colour, { type: "category", data: some.map(([key]) => key) }),
      yAxis: axis(colour, { type: "value", min: 0 }),
      tooltip: tooltip(colour, { trigger: "item", formatter: ({ name, value }) => `key ${name}: ${value}` }),
      series: [{ type: "bar", barMaxWidth: 48, itemStyle: { color: colour("ours") }, data: some.map(([, v]) => v), label: { show: some.length <= 20, position: "top", color: colour("text") } }],
      grid: { left: 4, right: 12, top: 24, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    },
  }));
  const more = entries.length > some.length ? `The first ${some.length} of ${count(entries.length)} keys are in the table.` : `${entries.length} keys and the values that were written last.`;
  const figures = table("The map at the end", [{ title: "key", number: true }, { title: "value", number: true }], some.map(([k, v]) => [k, { text: String(v), value: v }]));
  panel(page, "State", "state", more, chart, figures);
  if (!chart && some.length > 0) page.querySelector("#state").append(figures);
}

export function runPage(page, run) {
  head(page, run);
  throughput(page, run);
  const durations = (d) => `Median ${nanoseconds(d.p50)}, p99 ${nanoseconds(d.p99)}, longest ${nanoseconds(d.max)}.`;
  histogram(page, { title: "Waits for the lock", id: "waits", log: true, unit: nanoseconds, buckets: run.wait_histogram, about: `From asking for the lock to having it, sampled. ${durations(run.wait_ns)}` });
  histogram(page, { title: "Lateness of sleeps", id: "lateness", log: true, unit: nanoseconds, buckets: run.lateness_histogram, about: `How long after its time a sleep ended, sampled. ${durations(run.lateness_ns)}` });
  blame(page, run);
  const turns = run.turns_per_task;
  const mostTurns = turns.most === 0 ? "" : ` The least had ${percent((100 * turns.least) / turns.most)} of the most.`;
  histogram(page, { title: "Turns of each task", id: "turns", log: false, unit: count, buckets: turns.histogram, empty: "There were no tasks.", about: `How often each task had the map in this time: ${count(turns.least)} to ${count(turns.most)}, median ${count(turns.median)}.${mostTurns}` });
  state(page, run);
  const kept = ["version", "tasks", "workers", "lock", "readers", "writers", "keys", "values", "sleep_ns", "seed", "duration_ns", "read_ops", "write_ops", "map_mismatches", "rss_peak_bytes"];
  const box = section(page, "The run", "facts");
  box.append(facts(kept.map((key) => [key.replace(/_(ns|bytes)$/, "").replaceAll("_", " "), typeof run[key] === "number" ? (key.startsWith("seed") || key === "workers" ? String(run[key]) : readable(key, run[key])) : String(run[key])])));
}
