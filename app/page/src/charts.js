// ECharts as this page uses it: SVG, colours from the style sheet, drawn anew when the width or the colour scheme changes.
import * as echarts from "echarts/core";
import { BarChart, CustomChart, LineChart, ScatterChart } from "echarts/charts";
import { GridComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";
import { h } from "./dom.js";

echarts.use([BarChart, CustomChart, LineChart, ScatterChart, GridComponent, MarkLineComponent, TooltipComponent, SVGRenderer]);

// By name: for tests, which ask where a value was drawn.
const shown = new Map();
window.mortiseCharts = shown;

const dark = window.matchMedia("(prefers-color-scheme: dark)");

export function colours() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}

// Charts get their height at once and are drawn in turns: a hundred of them take seconds, and the page can be read meanwhile.
const waiting = [];

function drawSome() {
  const until = performance.now() + 30;
  while (waiting.length > 0 && performance.now() < until) waiting.shift()();
  if (waiting.length > 0) setTimeout(drawSome);
  else document.querySelector("main").removeAttribute("aria-busy");
}

function soon(draw) {
  waiting.push(draw);
  document.querySelector("main").setAttribute("aria-busy", "true");
  if (waiting.length === 1) setTimeout(drawSome);
}

// A chart with what it says in words for those who cannot see it; its table stands behind it. option(colour, width) is asked
// again whenever it has to be drawn.
export class Chart {
  constructor(name, description, option) {
    this.name = name;
    this.option = option;
    this.box = h("div", { class: "chart", role: "img", "aria-label": description, "data-chart": name });
  }

  // Once the box is in the page.
  draw() {
    const width = this.box.clientWidth;
    if (width === 0) return;
    this.width = width;
    this.made = this.option(colours(), width);
    this.box.style.height = `${this.made.height}px`;
    soon(() => this.drawNow());
  }

  // For one that another takes the place of.
  dispose() {
    this.chart?.dispose();
  }

  drawNow() {
    if (!this.box.isConnected) return;
    if (!this.chart) {
      this.chart = echarts.init(this.box, null, { renderer: "svg" });
      shown.set(this.name, this.chart);
      new ResizeObserver(() => {
        if (this.box.clientWidth !== this.width) this.draw();
      }).observe(this.box);
      dark.addEventListener("change", () => this.draw());
    }
    this.chart.setOption({ ...common(colours()), ...this.made.option }, true);
    this.chart.resize({ width: this.width, height: this.made.height });
    this.box.querySelector("svg")?.setAttribute("aria-hidden", "true");
  }
}

export const font = 13;

function common(colour) {
  return {
    animation: false,
    textStyle: { fontFamily: "system-ui, sans-serif", fontSize: font, color: colour("text") },
    grid: { left: 4, right: 12, top: 8, bottom: 4, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
    tooltip: tooltip(colour),
  };
}

export function tooltip(colour, more = {}) {
  return {
    confine: true,
    backgroundColor: colour("raised"),
    borderColor: colour("line"),
    textStyle: { color: colour("text"), fontSize: font },
    ...more,
  };
}

export function axis(colour, more = {}) {
  return {
    axisLine: { lineStyle: { color: colour("line") } },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: colour("grid") } },
    ...more,
    axisLabel: { color: colour("muted"), fontSize: 12, hideOverlap: true, ...more.axisLabel },
    nameTextStyle: { color: colour("muted"), fontSize: 12 },
  };
}

// A rectangle from one corner in the data's units to the other.
export function rectangle(api, [x0, y0], [x1, y1], style) {
  const a = api.coord([x0, y0]);
  const b = api.coord([x1, y1]);
  const shape = { x: Math.min(a[0], b[0]), y: Math.min(a[1], b[1]), width: Math.abs(b[0] - a[0]), height: Math.abs(b[1] - a[1]) };
  return { type: "rect", shape, style };
}

// Horizontally from `least` to `most` in the row, with ends.
export function whisker(api, row, least, most, colour) {
  const a = api.coord([least, row]);
  const b = api.coord([most, row]);
  const style = { stroke: colour, fill: "none", lineWidth: 1.5 };
  const line = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style });
  return {
    type: "group",
    children: [line(a[0], a[1], b[0], b[1]), line(a[0], a[1] - 4, a[0], a[1] + 4), line(b[0], b[1] - 4, b[0], b[1] + 4)],
  };
}
