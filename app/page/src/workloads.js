// What the workloads are, which figures they have, and which lines stand side by side in one chart.
import { paramText, moreIsBetter } from "./format.js";

const contended = [
  "ops_per_s", "wait_p999_ns", "wait_p99_ns", "wait_p50_ns", "wait_half_ns", "wait_max_ns", "share", "cpu_percent", "stall_p999_ns", "stall_max_ns",
];
const besideRobust = ["ns", "robust_ns", "robust_ratio"];
const onAndOff = ["on_off_ratio", "on_off_p10_ratio", "on_off_p90_ratio", "control_ratio", "control_p10_ratio", "control_p90_ratio", "ns", "on_ns"];
const figures = {
  read_mostly: ["ops_per_s", "reads_per_s", "writes_per_s", ...contended.slice(1)],
  condition: ["ops_per_s", "cpu_percent"],
  timeout_storm: ["p99_ns", "calm_p99_ns", "p99_ratio", "max_ns", "calm_max_ns", "last_unlock_ns", "ops_per_s", "cpu_percent", "lateness_p50_ns", "lateness_max_ns"],
  try_for: ["ns", "lock_ns", "lock_ratio"],
  contended, mixed: contended, hog: contended,
  processes_uncontended: besideRobust, processes_update: besideRobust, processes_read: besideRobust,
  processes_contended: ["ops_per_s", ...contended.slice(1, 6), "away_max_ns", ...contended.slice(6, 7), "party_share", ...contended.slice(7)],
  processes_takeover: ["p50_ns", "p99_ns", "max_ns", "stall_p999_ns", "stall_max_ns"],
  processes_command: ["ns", "flock_ns", "flock_ratio", "bare_ns"],
  cluster_update: ["ops_per_s", "p50_ns", "p99_ns", "max_ns", "away_max_ns", "share", "round_trips"],
  cluster_takeover: ["p50_ns", "p99_ns", "max_ns"],
  insight_profile: onAndOff, insight_waits: onAndOff, insight_stacks: onAndOff, insight_trace: onAndOff,
  seed: ["ops_per_s", "cpu_percent", "rss_peak_bytes", "lateness_p50_ns", "lateness_p99_ns", "lateness_max_ns"],
  burst: ["ns", "p99_ns", "max_ns", "stall_p999_ns", "stall_max_ns"],
  sleep: ["p50_ns", "p99_ns", "max_ns", "cpu_percent", "stall_p999_ns", "stall_max_ns"],
  footprint: ["bytes_per_task", "page_table_bytes_per_task", "rss_bytes"],
  timer: ["ns", "lateness_p50_ns", "lateness_p99_ns"],
  idle: ["cpu_percent"],
};

const told = {
  seed: ["The seed's program", "Readers and writers share a map behind one mutex and sleep 1 ms between their turns."],
  uncontended: ["Uncontended", "Lock and unlock of a mutex that nobody else wants."],
  contended: ["Contended", "One mutex that all want: lock, count, hold for a while, unlock, do something else for a while. Beside the waits stand the stalls: how long this machine took a core away from a thread that only spins."],
  mixed: ["Mixed", "Threads, fibers and coroutines on one mutex, a third of the parties each."],
  burst: ["Burst", "All parties arrive at once, again and again; a round lasts until the last had the mutex."],
  hog: ["Hog", "One party holds the mutex for long, again and again. Figures are those of the others."],
  rw_uncontended: ["Readers, uncontended", "Read lock and unlock of a lock that nobody else wants."],
  read_mostly: ["Read mostly", "A small value that many read and few write, behind a lock that readers share. The waits are the writers'."],
  condition: ["Condition", "Each waiter waits for a condition of its own; each update lets one of them go on, which makes the next. In turn (random 0) or at random (random 1)."],
  timeout_storm: ["Timeout storm", "All wait for a lock with a deadline, none gets it, all come again. Figures are those of its holder, who locks and unlocks another one meanwhile."],
  try_for: ["A bound that is not needed", "try_lock_for that succeeds at once, beside lock."],
  processes_uncontended: ["Processes, uncontended", "Lock and unlock of a lock that processes share and nobody else wants, in turns with pthread's robust mutex."],
  processes_update: ["Processes, update", "64 bytes that processes share changed as a whole, in turns with pthread's robust mutex around two copies."],
  processes_read: ["Processes, read", "64 bytes that processes share looked at, in turns with pthread's robust mutex around a copy."],
  processes_contended: ["Processes, contended", "One lock that all parties of several processes want. Away is how long a process full of waiting parties had nothing of it."],
  processes_takeover: ["Processes, takeover", "From kill(2) of a lock's holder until the next one is inside."],
  processes_command: ["Processes, command", "A command under a lock, from its start to its end, beside flock(1) and without a lock."],
  cluster_update: ["Cluster, update", "A number on etcd that all add 1 to. Away is how long a process full of waiting parties had nothing of it."],
  cluster_takeover: ["Cluster, takeover", "From the end of the holder of a lock on etcd until the next one is inside."],
  insight_profile: ["Insight, profile", "What is done while the contention profile is on, of what is done while it is off, in one process. The control is off against off."],
  insight_waits: ["Insight, waits", "The same with waits watched, without stacks."],
  insight_stacks: ["Insight, waits with stacks", "The same with waits watched, each with its stack."],
  insight_trace: ["Insight, trace", "The same with a timeline being recorded."],
  switch: ["Switch", "From one yield to the next party's, on one worker."],
  spawn: ["Spawn", "Start and join of a task, in batches."],
  timer: ["Timer", "CPU time of a timer armed and fired."],
  sleep: ["Sleep", "How late a 1 ms sleep ends."],
  footprint: ["Footprint", "What a task takes in memory while it sleeps."],
  idle: ["Idle", "CPU that a process takes whose tasks all sleep for an hour."],
};

export const titleOfWorkload = (workload) => told[workload]?.[0] ?? workload;
export const aboutWorkload = (workload) => told[workload]?.[1] ?? "";
export const figuresOf = (workload) => figures[workload] ?? ["ns"];
export const unique = (list) => [...new Set(list)];
export const isOurs = (line) => line.contender === "mortise";
export const median = (line, figure) => line.figures?.[figure]?.median;
export const isSound = (line, figure) => !line.failed && median(line, figure) !== undefined;

// Where threads and tasks on a few workers do the same work.
const onThreadsToo = ["contended", "burst", "hog", "read_mostly"];

// What tells the contenders of one chart apart beside their names; everything else is the chart's title.
const apart = (workload) => (workload === "footprint" ? ["tasks", "workers", "procs"] : ["workers", "procs"]);

const split = (line) => {
  const own = apart(line.workload);
  const entries = Object.entries(line.params);
  return {
    shared: Object.fromEntries(entries.filter(([key]) => !own.includes(key))),
    own: Object.fromEntries(entries.filter(([key]) => own.includes(key))),
  };
};

export function labelOf(line) {
  const own = paramText(split(line).own);
  return { name: line.contender, detail: own ? `${line.kind}, ${own}` : line.kind };
}

// The line in words: "Contended, thread, 8 parties, held 20 ns".
export function inWords(line, who = false) {
  const text = `${titleOfWorkload(line.workload)}, ${who ? `${line.contender} ` : ""}${line.kind}`;
  return Object.keys(line.params).length === 0 ? text : `${text}, ${paramText(line.params)}`;
}

// Lines of one workload, by chart. Threads have charts of their own where tasks on a few workers do the same work.
export function panelsOf(lines) {
  const panels = new Map();
  for (const line of lines) {
    const { shared } = split(line);
    const onWorkers = onThreadsToo.includes(line.workload) && "workers" in line.params;
    const key = JSON.stringify([shared, onWorkers]);
    if (!panels.has(key)) panels.set(key, { title: paramText(shared), where: onWorkers ? "tasks on workers" : "", lines: [] });
    panels.get(key).lines.push(line);
  }
  for (const panel of panels.values()) {
    const threads = panel.lines.some((l) => l.kind === "thread") && onThreadsToo.includes(panel.lines[0].workload);
    if (!panel.where && threads) panel.where = "threads";
  }
  return [...panels.values()];
}

// By how much a peer is ahead of the best of ours among these lines: above 1, or undefined. As the command's own table has it.
export function aheadBy(line, lines, figure) {
  if (isOurs(line) || !isSound(line, figure)) return undefined;
  const ours = lines.filter((l) => isOurs(l) && isSound(l, figure)).map((l) => median(l, figure));
  if (ours.length === 0) return undefined;
  const more = moreIsBetter(figure);
  const best = more ? Math.max(...ours) : Math.min(...ours);
  const by = more ? median(line, figure) / best : best / median(line, figure);
  return by > 1 ? by : undefined;
}
