// What must be reached: how far each is from it, as a chart and as a table; and where a peer is faster.
import { Chart, axis, tooltip } from "./charts.js";
import { h, table } from "./dom.js";
import { moreIsBetter, readable, times, titleOf } from "./format.js";
import { aheadBy, figuresOf, inWords, isOurs, isSound, median, panelsOf, unique } from "./workloads.js";

const number = (id) => Number.parseInt(id.slice(1), 10);

const family = (id) => (id.startsWith("P") ? 0 : 1);

// Every bar with its line, P2 before P11, F1 behind all of P.
export function barsOf(lines) {
  const all = lines.flatMap((line) => line.bars.map((bar) => ({ line, bar })));
  return all.sort((a, b) => family(a.bar.id) - family(b.bar.id) || number(a.bar.id) - number(b.bar.id) || (a.bar.id < b.bar.id ? -1 : a.bar.id > b.bar.id ? 1 : 0));
}

const inUnit = (bar, value) => (value === null ? "" : bar.against ? `${times(value)} ${bar.against}` : readable(bar.figure, value));

// Above 1: better than it must be, by so much.
export function margin(bar) {
  if (bar.measured === null || bar.measured <= 0) return null;
  return bar.sense === ">=" ? bar.measured / bar.value : bar.value / bar.measured;
}

function verdict(bar) {
  if (bar.met === null) return { text: `unknown${bar.note ? `: ${bar.note}` : ""}`, class: "muted" };
  if (!bar.met) return { text: `✗ NOT MET${bar.note ? `: ${bar.note}` : ""}`, class: "bad" };
  const moon = bar.moonshot !== null && (bar.sense === ">=" ? bar.measured >= bar.moonshot : bar.measured <= bar.moonshot);
  return { text: moon ? "✓ met, moonshot too" : "✓ met", class: "good" };
}

// What is further from its bar than this stands at the edge, as a triangle.
const edge = 8;

const rowName = ({ line, bar }) => `${bar.id}\n${titleOf(bar.figure, line.workload)}${bar.against ? ` to ${bar.against}` : ""}`;

export function marginChart(bars) {
  const measured = bars.filter(({ bar }) => margin(bar) !== null);
  const rows = unique(measured.map(rowName));
  const missed = measured.filter(({ bar }) => !bar.met).length;
  const words = `${measured.length} bars by margin; ${measured.length - missed} at or above 1, which is met; ${missed} below, which is not met`;
  return new Chart("margins", words, (colour, width) => {
    const series = (met) => ({
      type: "scatter",
      symbol: met ? "circle" : "diamond",
      symbolSize: met ? 11 : 14,
      itemStyle: { color: colour(met ? "good" : "bad"), opacity: 0.8 },
      data: measured.filter(({ bar }) => bar.met === met).map((b) => ({
        value: [Math.min(Math.max(margin(b.bar), 1 / edge), edge), rowName(b)],
        symbol: margin(b.bar) > edge || margin(b.bar) < 1 / edge ? "triangle" : undefined,
        symbolRotate: margin(b.bar) > 1 ? -90 : 90,
        of: b,
      })),
      markLine: met
        ? { silent: true, symbol: "none", lineStyle: { color: colour("mark"), type: "solid" }, label: { show: false }, data: [{ xAxis: 1 }] }
        : undefined,
    });
    return {
      height: rows.length * (width < 500 ? 54 : 40) + 50,
      option: {
        xAxis: axis(colour, { type: "log", logBase: 2, min: 1 / edge / 1.3, max: edge * 1.3, axisLabel: { formatter: (v) => (Math.abs(Math.log2(v) % 1) > 1e-6 ? "" : v < 1 ? `1/${1 / v}` : `${v}x`) } }),
        yAxis: axis(colour, { type: "category", inverse: true, data: rows, splitLine: { show: true, lineStyle: { color: colour("grid") } }, axisLabel: { color: colour("text"), interval: 0, hideOverlap: false, lineHeight: 15, ...(width < 500 ? { width: 120, overflow: "break" } : {}) } }),
        tooltip: tooltip(colour, {
          trigger: "item",
          formatter: ({ data: { of } }) => `${of.line.bench}<br>${inUnit(of.bar, of.bar.measured)}, must ${of.bar.sense} ${inUnit(of.bar, of.bar.value)}`,
        }),
        series: [series(true), series(false)],
      },
    };
  });
}

export function barsTable(bars) {
  const columns = [
    { title: "id" }, { title: "verdict" }, { title: "what" }, { title: "figure" },
    { title: "measured", number: true }, { title: "must", number: true }, { title: "moonshot", number: true },
  ];
  return table("What must be reached, and what was measured", columns, bars.map(({ line, bar }) => [
    bar.id,
    verdict(bar),
    h("span", { "data-bench": line.bench }, inWords(line)),
    titleOf(bar.figure, line.workload),
    { text: bar.measured === null ? "–" : inUnit(bar, bar.measured), value: bar.measured },
    { text: `${bar.sense === ">=" ? "≥" : "≤"} ${inUnit(bar, bar.value)}`, value: bar.value },
    inUnit(bar, bar.moonshot),
  ]), { stacked: true });
}

const both = (figure, ours, theirs) =>
  median(ours, figure) === undefined || median(theirs, figure) === undefined ? "" : `${readable(figure, median(ours, figure))} / ${readable(figure, median(theirs, figure))}`;

// Where a peer is ahead of the best of ours at the same work, most first; null if nowhere.
export function lossesTable(lines) {
  const rows = [];
  for (const workload of unique(lines.map((l) => l.workload))) {
    const figure = figuresOf(workload)[0];
    for (const panel of panelsOf(lines.filter((l) => l.workload === workload))) {
      const ours = panel.lines.filter((l) => isOurs(l) && isSound(l, figure));
      ours.sort((a, b) => (median(a, figure) - median(b, figure)) * (moreIsBetter(figure) ? -1 : 1));
      for (const line of panel.lines) {
        const by = aheadBy(line, panel.lines, figure);
        if (by) rows.push({ by, line, ours: ours[0], figure });
      }
    }
  }
  if (rows.length === 0) return { count: 0, table: null };
  rows.sort((a, b) => b.by - a.by);
  const columns = [
    { title: "who is ahead" }, { title: "by", number: true }, { title: "ours / theirs", number: true },
    { title: "share", number: true }, { title: "wait p99.9", number: true }, { title: "wait half", number: true }, { title: "longest wait", number: true },
  ];
  const made = table("Peers ahead of the best of ours at the same work; ours / theirs", columns, rows.map(({ by, line, ours, figure }) => [
    h("span", { "data-bench": line.bench }, inWords(line, true)), { text: times(by), value: by, class: "ahead" },
    both(figure, ours, line), both("share", ours, line), both("wait_p999_ns", ours, line), both("wait_half_ns", ours, line), both("wait_max_ns", ours, line),
  ]), { stacked: true });
  return { count: rows.length, table: made };
}
