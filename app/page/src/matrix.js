// The whole matrix of contended threads at a glance: sections and gaps down, parties across; ours to std's and to the best peer's.
import { folded, h, table } from "./dom.js";
import { nanoseconds, times, titleOf, moreIsBetter } from "./format.js";
import { isOurs, isSound, median, unique } from "./workloads.js";

const least = 6; // cells; fewer are seen at a glance anyway
const spot = ({ held_ns: held, gap_ns: gap }) => `${held}/${gap}`;

// How many times as good ours is: above 1 is ahead.
export function lead(ours, theirs, figure) {
  const ratio = median(ours, figure) / median(theirs, figure);
  return moreIsBetter(figure) ? ratio : 1 / ratio;
}

function best(lines, figure) {
  return lines.reduce((a, b) => (lead(b, a, figure) > 1 ? b : a));
}

function matrix(cells, figure, { title, among }) {
  const parties = unique(cells.map((c) => c.params.parties)).sort((a, b) => a - b);
  const spots = unique(cells.map((c) => spot(c.params)));
  const named = (s) => s.split("/").map((ns) => nanoseconds(Number(ns)));
  const columns = [{ title: "held, gap" }, ...parties.map((p) => ({ title: p === 1 ? "1 party" : `${p} parties`, number: true }))];
  const cell = (p, s) => {
    const found = cells.find((c) => c.params.parties === p && spot(c.params) === s);
    const peers = found?.peers.filter((l) => among(l) && isSound(l, figure)) ?? [];
    if (!found || !isSound(found.ours, figure) || peers.length === 0) return "";
    const peer = best(peers, figure);
    const value = lead(found.ours, peer, figure);
    const who = unique(peers.map((l) => l.contender)).length > 1 ? ` ${peer.contender}` : "";
    return { text: `${value < 1 ? "✗ " : ""}${times(value)}${who}`, value, class: value < 1 ? "bad" : "good" };
  };
  return table(title, columns, spots.map((s) => [named(s).join(", "), ...parties.map((p) => cell(p, s))]));
}

// null if there is little to see.
export function matrices(lines) {
  const threads = lines.filter((l) => !("workers" in l.params));
  const cells = threads.filter((l) => isOurs(l) && l.figures).map((ours) => ({
    ours,
    params: ours.params,
    peers: threads.filter((l) => !isOurs(l) && l.params.parties === ours.params.parties && spot(l.params) === spot(ours.params)),
  }));
  if (cells.length < least) return null;
  const std = (l) => l.contender === "std";
  const all = (l) => l.contender !== "control";
  const figures = ["ops_per_s", "wait_p999_ns"].filter((f) => cells.some((c) => isSound(c.ours, f)));
  const tables = figures.flatMap((f) => [
    matrix(cells, f, { title: `${titleOf(f)}: ours to std::mutex`, among: std }),
    matrix(cells, f, { title: `${titleOf(f)}: ours to the best peer`, among: all }),
  ]);
  return h("div", { class: "panel", id: "matrix" }, h("h3", {}, "All cells of threads at a glance"), h("p", { class: "muted" }, "How many times as good ours is; below 1 it is behind."), tables[0], tables.length > 1 ? folded("Against the best peer, and the waits", h("div", {}, tables.slice(1))) : null);
}
