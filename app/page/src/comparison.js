// One chart: the contenders at one piece of work, medians with least and most, and its table.
import { Chart, axis, tooltip, whisker } from "./charts.js";
import { folded, h, table } from "./dom.js";
import { readable, spansDecades, times, titleOf } from "./format.js";
import { aheadBy, figuresOf, isOurs, isSound, labelOf, median } from "./workloads.js";

const rowHeight = 38;

// What must be reached, in the figure's unit: the bars on it, ratios times the peer's median. The hardest is named.
function marksOf(lines, figure) {
  const bars = lines.flatMap((line) => line.bars).filter((bar) => bar.figure === figure);
  const values = bars.map((bar) => bar.value * (bar.against ? median(lines.find((l) => l.bench === bar.against_bench) ?? {}, figure) ?? NaN : 1));
  const marks = [...new Set(values.filter(Number.isFinite))];
  if (marks.length === 0) return [];
  const more = bars[0].sense === ">=";
  const hardest = more ? Math.max(...marks) : Math.min(...marks);
  return marks.map((value) => ({ value, text: value === hardest ? `must ${more ? "≥" : "≤"} ${readable(figure, value)}` : "" }));
}

function tone(line, lines, figure) {
  if (isOurs(line)) return "ours";
  return aheadBy(line, lines, figure) ? "ahead" : "peer";
}

function saidOf(line, lines, figure) {
  const by = aheadBy(line, lines, figure);
  return readable(figure, median(line, figure)) + (by ? `  ${times(by)} ahead` : "");
}

// The axis ends where what is said beside every bar still has room.
function axisRange(decades, lines, figure, measured, marks, width) {
  const pixels = (text) => text.length * 7;
  const plot = width - 30 - Math.max(...measured.flatMap((l) => Object.values(labelOf(l))).map(pixels));
  const end = (place) => Math.max(...place.map(([at, text]) => at * Math.min(plot / Math.max(plot - pixels(text) - 24, 1), 4)));
  const each = [...measured.map((l) => [l.figures[figure].max, saidOf(l, lines, figure)]), ...marks.map((m) => [m.value, ""])];
  if (!decades) return { type: "value", min: 0, max: end(each) || 1 };
  const least = Math.min(...measured.map((l) => l.figures[figure].min), ...marks.map((m) => m.value));
  const from = Math.floor(Math.log10(Math.max(least, 1)));
  const to = end(each.map(([value, text]) => [Math.log10(Math.max(value, 1)) - from, text]));
  return { type: "log", min: 10 ** from, max: 10 ** (from + Math.max(Math.ceil(to), 1)) };
}

// Behind the bars: what must be reached.
function markSeries(marks, colour) {
  const draw = ({ coordSys: { y, height } }, api) => {
    const [x] = api.coord([api.value(0), 0]);
    return {
      type: "group",
      children: [
        { type: "line", shape: { x1: x, y1: y, x2: x, y2: y + height }, style: { stroke: colour("mark"), lineDash: [4, 3], lineWidth: 1.5 } },
        { type: "text", style: { text: marks[api.value(2)].text, x, y: y - 4, align: "center", verticalAlign: "bottom", fill: colour("muted"), font: "11px system-ui, sans-serif" } },
      ],
    };
  };
  return { type: "custom", silent: true, clip: false, z: 1, data: marks.map((m, i) => [m.value, 0, i]), encode: { x: 0, y: 1 }, renderItem: draw };
}

function option(lines, figure, measured) {
  return (colour, width) => {
    const decades = spansDecades(figure);
    const marks = marksOf(lines, figure);
    const range = axisRange(decades, lines, figure, measured, marks, width);
    const rows = measured.map((line, row) => {
      const f = line.figures[figure];
      return [decades ? Math.max(f.median, 1) : f.median, row, Math.max(f.min, decades ? 1 : 0), Math.max(f.max, decades ? 1 : 0)];
    });
    const fill = (row) => colour(tone(measured[row], lines, figure));
    const draw = (params, api) => {
      const [value, row, min, max] = [0, 1, 2, 3].map((i) => api.value(i));
      const [x, y] = api.coord([value, row]);
      const zero = decades ? 0 : api.coord([0, row])[0];
      const drawn = decades
        ? { type: "circle", shape: { cx: x, cy: y, r: 6 }, style: { fill: fill(row) } }
        : { type: "rect", shape: { x: zero, y: y - 9, width: x - zero, height: 18 }, style: { fill: fill(row) } };
      const end = api.coord([max, row])[0];
      const text = {
        type: "text",
        style: { text: saidOf(measured[row], lines, figure), x: Math.max(end, x + 6) + 8, y, verticalAlign: "middle", fill: colour(tone(measured[row], lines, figure) === "ahead" ? "ahead" : "text"), backgroundColor: colour("raised"), padding: [1, 3], font: "12px system-ui, sans-serif" },
      };
      return { type: "group", children: [drawn, whisker(api, row, min, max, colour("mark")), text] };
    };
    const made = {
      xAxis: axis(colour, { ...range, splitNumber: decades ? 6 : 4, axisLabel: { formatter: (v) => readable(figure, v), showMaxLabel: false } }),
      yAxis: axis(colour, {
        type: "category",
        inverse: true,
        data: measured.map((line) => `${labelOf(line).name}\n${labelOf(line).detail}`),
        axisLabel: { color: colour("text"), hideOverlap: false, interval: 0, lineHeight: 15 },
      }),
      tooltip: tooltip(colour, {
        trigger: "item",
        formatter: ({ dataIndex: row }) => {
          const f = measured[row].figures[figure];
          return `${measured[row].bench}<br>median ${readable(figure, f.median)}, ${readable(figure, f.min)} to ${readable(figure, f.max)}`;
        },
      }),
      series: [
        {
          type: "custom",
          data: rows,
          encode: { x: 0, y: 1 },
          renderItem: draw,
          z: 3,
        },
        markSeries(marks, colour),
      ],
      grid: { left: 4, right: 12, top: marks.length ? 24 : 4, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    };
    return { option: made, height: measured.length * rowHeight + (marks.length ? 58 : 38) };
  };
}

function tableOf(panel, figures) {
  const has = figures.filter((f) => panel.lines.some((l) => l.figures?.[f]));
  const columns = [{ title: "contender" }];
  for (const f of has) columns.push({ title: titleOf(f, panel.lines[0].workload), number: true });
  columns.splice(2, 0, { title: "least to most", number: true }, { title: "repetitions", number: true });
  const rows = panel.lines.filter((l) => l.figures).map((line) => {
    const label = labelOf(line);
    const row = [{ text: `${label.name} ${label.detail}`, class: isOurs(line) ? "ours" : "" }];
    for (const f of has) {
      const value = median(line, f);
      row.push({ text: readable(f, value), value: value ?? null, class: aheadBy(line, panel.lines, f) ? "ahead" : "" });
    }
    const first = line.figures[has[0]];
    row.splice(2, 0, first ? `${readable(has[0], first.min)} to ${readable(has[0], first.max)}` : "", String(line.repetitions));
    return row;
  });
  return table(`Medians${panel.title ? `: ${panel.title}` : ""}`, columns, rows);
}

// The panel of these lines. show(figure) draws another figure.
export function comparison(panel, name) {
  const workload = panel.lines[0].workload;
  const title = [panel.title, panel.where].filter(Boolean).join(" · ");
  const box = h("div", { class: "panel" }, title ? h("h3", {}, title) : null);
  const chart = h("div");
  box.append(chart, folded("Figures", tableOf(panel, figuresOf(workload))));
  let made = null;
  const show = (figure) => {
    made?.dispose();
    const measured = panel.lines.filter((line) => isSound(line, figure));
    if (measured.length === 0) {
      chart.replaceChildren(h("p", { class: "muted" }, "Nobody has this figure here."));
      return;
    }
    const words = measured.map((l) => `${l.contender} ${labelOf(l).detail} ${saidOf(l, panel.lines, figure)}`).join("; ");
    made = new Chart(name, `${titleOf(figure, workload)}${title ? `, ${title}` : ""}: ${words}`, option(panel.lines, figure, measured));
    chart.replaceChildren(made.box);
    made.draw();
  };
  return { box, show };
}
