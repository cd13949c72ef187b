// The page of `mortise bench --report`: what was reached, where peers are ahead, then a chart for each piece of work.
import { barsOf, barsTable, lossesTable, margin, marginChart } from "./bars.js";
import { comparison } from "./comparison.js";
import { facts, h, section } from "./dom.js";
import { titleOf } from "./format.js";
import { matrices } from "./matrix.js";
import { aboutWorkload, figuresOf, inWords, panelsOf, titleOfWorkload, unique } from "./workloads.js";

function textOf(value) {
  if (value === null) return "unknown";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "object") return Object.entries(value).map(([k, v]) => `${k} ${textOf(v)}`).join(", ");
  return String(value);
}

function head(page, header, bars, lost) {
  const { machine } = header;
  document.title = `mortise bench: ${machine.date ?? ""}`;
  page.append(h("h1", {}, "mortise beside its peers"));
  const mode = { quick: "A smoke test: one short repetition, not to be believed.", full: "Every cell.", default: "The default choice of cells." };
  page.append(h("p", {}, `Measured ${machine.date ?? "at an unknown time"} on ${machine.cores ?? "?"} cores of ${machine.cpu ?? "an unknown processor"}. ${mode[header.mode] ?? ""}`));
  const count = (met) => bars.filter(({ bar }) => bar.met === met).length;
  const tally = (n, text, name) => h("li", {}, h("b", { class: n > 0 ? name : null, "data-tally": text, "data-value": n }, String(n)), text);
  page.append(h("ul", { class: "tally", "aria-label": "In short" },
    tally(count(true), "bars met", "good"), tally(count(false), "bars not met", "bad"), tally(count(null), "bars unknown", ""), tally(lost, "peers ahead in a cell", "ahead")));
}

function machineFacts(page, header) {
  const box = section(page, "Measured on", "machine");
  box.append(facts([...Object.entries(header.machine).map(([key, value]) => [key.replaceAll("_", " "), textOf(value)]), ["command", h("code", {}, header.command ?? "")]]));
}

function reached(page, bars) {
  if (bars.length === 0) return;
  const box = section(page, "What must be reached", "bars");
  if (bars.some(({ bar }) => margin(bar) !== null)) {
    box.append(h("p", {}, "Each mark is one bar; right of the line it is met, by so much. A diamond on the left is not met. A triangle is further out than the axis."));
    const chart = marginChart(bars);
    box.append(h("div", { class: "panel" }, chart.box));
    chart.draw();
  }
  box.append(barsTable(bars));
}

function behind(page, losses) {
  const box = section(page, "Where a peer is ahead", "losses");
  box.append(losses.table ?? h("p", {}, "Nowhere in what was measured."));
}

// Who could not take part says why once.
function absent(lines) {
  const reasons = new Map();
  for (const line of lines.filter((l) => l.skipped || l.failed)) {
    const reason = `${line.contender} ${line.failed ? `failed: ${line.failed}` : `did not take part: ${line.skipped}`}`;
    if (!reasons.has(reason)) reasons.set(reason, []);
    reasons.get(reason).push(line);
  }
  if (reasons.size === 0) return null;
  const said = [...reasons].map(([reason, all]) => h("li", { class: all[0].failed ? "bad" : null }, all.length > 1 ? `${reason} (${all.length} cells)` : `${reason} (${inWords(all[0])})`));
  return h("ul", { class: "muted" }, said);
}

function work(page, workload, lines) {
  const box = section(page, titleOfWorkload(workload), workload);
  box.append(h("p", {}, aboutWorkload(workload)));
  const overview = workload === "contended" ? matrices(lines) : null;
  if (overview) box.append(overview);
  const figures = figuresOf(workload).filter((f) => lines.some((l) => l.figures?.[f]));
  const panels = panelsOf(lines).filter((p) => p.lines.some((l) => l.figures)).map((panel, i) => comparison(panel, `${workload}/${i}`));
  const show = (figure) => panels.forEach((p) => p.show(figure));
  if (figures.length > 1) {
    const choice = h("select", { id: `${workload}-figure` }, figures.map((f) => h("option", { value: f }, titleOf(f, workload))));
    choice.addEventListener("change", () => show(choice.value));
    box.append(h("p", {}, h("label", { for: choice.id }, "Figure: "), choice));
  } else if (figures.length === 1) {
    box.append(h("p", { class: "muted" }, titleOf(figures[0], workload)));
  }
  box.append(h("div", { class: "panels" }, panels.map((p) => p.box)));
  const missing = absent(lines);
  if (missing) box.append(missing);
  if (figures.length > 0) show(figures[0]);
}

export function benchPage(page, { header, lines }) {
  const bars = barsOf(lines);
  const losses = lossesTable(lines);
  head(page, header, bars, losses.count);
  const links = h("ul");
  page.append(h("nav", { "aria-label": "Parts of this page" }, links));
  const legend = [["ours", "mortise"], ["peer", "a peer"], ["ahead", "a peer ahead of the best of ours"]];
  page.append(h("ul", { class: "legend", "aria-label": "Colours" }, legend.map(([name, text]) => h("li", {}, h("i", { style: `--colour: var(--${name})` }), text))));
  reached(page, bars);
  behind(page, losses);
  for (const workload of unique(lines.map((l) => l.workload))) work(page, workload, lines.filter((l) => l.workload === workload));
  machineFacts(page, header);
  for (const title of page.querySelectorAll("h2")) links.append(h("li", {}, h("a", { href: `#${title.parentElement.id}` }, title.textContent)));
}
