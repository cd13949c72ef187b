// Figures as people read them: the unit is in the name.

// Rates keep a fourth digit: one that just fails to be another differs there.
function scaled(value, units, precise = 0) {
  let unit = 0;
  let v = value;
  while (Math.abs(v) >= 999.5 && unit + 1 < units.length) {
    v /= 1000;
    unit += 1;
  }
  const digits = Math.abs(v) < 9.995 ? 2 : Math.abs(v) < 99.95 ? 1 : precise;
  return `${Number.isInteger(v) ? v : v.toFixed(digits)}\u202f${units[unit]}`;
}

export const nanoseconds = (value) => scaled(value, ["ns", "µs", "ms", "s"]);
export const count = (value) => Math.round(value).toLocaleString("en-US");
export const times = (ratio) => `${ratio < 100 ? ratio.toFixed(2) : count(ratio)}x`;
export const percent = (value) => `${value.toFixed(Math.abs(value) < 9.995 ? 2 : 0)}\u202f%`;

export function readable(figure, value) {
  if (value === null || value === undefined) return "";
  if (figure.endsWith("_per_s")) return scaled(value, ["/s", "k/s", "M/s", "G/s"], 1);
  if (figure === "ns" || figure.endsWith("_ns")) return nanoseconds(value);
  if (figure.endsWith("bytes_per_task")) return `${value.toFixed(value < 10 ? 2 : 0)}\u202fB`;
  if (figure.endsWith("_bytes")) return scaled(value, ["B", "kB", "MB", "GB"]);
  if (figure.endsWith("_percent")) return percent(value);
  if (figure.endsWith("share")) return value.toFixed(2);
  if (figure.endsWith("_ratio")) return times(value);
  return count(value);
}

const names = {
  ops_per_s: "throughput",
  share: "share, least to most",
  ns: "time",
  reads_per_s: "reads",
  writes_per_s: "writes",
  lock_ns: "lock and unlock",
  lock_ratio: "to lock and unlock",
  p99_ratio: "p99 to undisturbed",
  calm_p99_ns: "undisturbed, p99",
  calm_max_ns: "undisturbed, longest",
  last_unlock_ns: "unlock with all of them waiting",
  robust_ns: "pthread's robust mutex",
  robust_ratio: "to pthread's robust mutex",
  flock_ns: "flock(1)",
  flock_ratio: "to flock(1)",
  bare_ns: "without a lock",
  on_ns: "time while it is on",
  on_off_ratio: "done while on, of done while off",
  control_ratio: "off to off",
  away_max_ns: "a process without it, longest",
  party_share: "share of parties, least to most",
  cpu_percent: "CPU, of one core",
  bytes_per_task: "resident memory of a task",
  page_table_bytes_per_task: "page tables of a task",
  rss_bytes: "resident memory",
  rss_peak_bytes: "most resident memory",
  wait_half_ns: "wait, half of the time waited",
  wait_max_ns: "longest wait",
  p50_ns: "late by, median",
  p99_ns: "p99",
  max_ns: "longest",
};

// "wait_p999_ns" is "wait p99.9".
export function titleOf(figure, workload) {
  if (workload === "burst" && figure === "ns") return "a round, median";
  if (workload === "burst" && (figure === "p99_ns" || figure === "max_ns")) return `a round, ${names[figure]}`;
  if (workload === "timeout_storm" && (figure === "p99_ns" || figure === "max_ns")) return `lock and unlock, ${names[figure]}`;
  if ((workload?.endsWith("_takeover") || workload === "cluster_update") && figure === "p50_ns") return "median";
  if (workload === "sleep" && figure !== "p50_ns" && names[figure]?.length < 8) return `late by, ${names[figure]}`;
  return names[figure] ?? figure.replace(/_(ns|bytes|percent)$/, "").replaceAll("_", " ").replace("p999", "p99.9");
}

export const moreIsBetter = (figure) => figure.endsWith("_per_s") || figure.endsWith("share") || figure.startsWith("on_off_");

// What spans decades is shown on a logarithmic axis, as points: the length of a bar would mean nothing there.
export const spansDecades = (figure) => /^(wait|stall|lateness|away)_/.test(figure) || /^(calm_)?(p50|p99|max)_ns$/.test(figure);

const paramNames = {
  parties: (n) => `${count(n)} parties`,
  held_ns: (n) => `held ${nanoseconds(n)}`,
  gap_ns: (n) => `gap ${nanoseconds(n)}`,
  hog_ns: (n) => `hog ${nanoseconds(n)}`,
  workers: (n) => (n === 1 ? "1 worker" : `${n} workers`),
  readers: (n) => `${count(n)} readers`,
  writers: (n) => `${count(n)} writers`,
  tasks: (n) => `${count(n)} tasks`,
  waiters: (n) => `${count(n)} waiters`,
  reads: (n) => `${n} % reads`,
  sleep_us: (n) => `sleeps ${nanoseconds(1000 * n)}`,
  random: (n) => (n === 0 ? "in turn" : "at random"),
  deadline_ms: (n) => `deadline ${n} ms`,
  processes: (n) => `${n} processes`,
  yields: (n) => (n === 0 ? "goes on after a turn" : "yields after a turn"),
  killed: (n) => (n === 0 ? "its holder ends" : "its holder is killed"),
  ttl_ms: (n) => `a lease of ${n} ms`,
  resident_mb: (n) => `a holder of ${n} MB`,
  batch: (n) => `batches of ${count(n)}`,
};

export function paramText(params) {
  return Object.entries(params).map(([key, n]) => paramNames[key]?.(n) ?? `${key} ${n}`).join(", ");
}
