#include <app/bench/losses.hpp>

#include <fmt/format.h>

namespace app::bench {
namespace {

double median_of(const outcome& o, const std::string& name) {
  const figure* f = find(o.figures, name);
  return f == nullptr ? 0 : f->median();
}

bool is_sound(const outcome& o, const std::string& figure) {
  return o.failed.empty() && find(o.figures, figure) != nullptr;
}

// Ours on etcd is a program of its own.
bool is_ours(std::string_view contender) { return contender == "mortise" || contender == "mortise_etcd"; }

// Threads of several processes need no workers: there the tasks with whatever workers do the same.
bool same_work(const cell& ours, const cell& peer) {
  if (ours.workload != peer.workload) return false;
  if (ours.workload != "processes_contended") return ours.given == peer.given;
  const auto without_workers = [](params given) {
    std::erase_if(given, [](const auto& each) { return each.first == "workers"; });
    return given;
  };
  return without_workers(ours.given) == without_workers(peer.given);
}

// Ours that did the same work best: on threads where the peer is on threads, whatever it is on elsewhere.
const outcome* best_of_ours(const result& r, const outcome& peer, const std::string& figure) {
  const outcome* best = nullptr;
  for (const judged& line : r.lines) {
    const outcome& o = line.what;
    if (!is_ours(o.of.contender) || !same_work(o.of, peer.of) || !is_sound(o, figure)) continue;
    const bool better =
        best == nullptr || (more_is_better(figure) ? median_of(o, figure) > median_of(*best, figure)
                                                   : median_of(o, figure) < median_of(*best, figure));
    if (better) best = &o;
  }
  return best;
}

// "ours / theirs", empty where there is no such figure.
std::string both(const std::string& figure, const outcome& ours, const outcome& theirs) {
  if (find(ours.figures, figure) == nullptr || find(theirs.figures, figure) == nullptr) return "";
  return fmt::format("{} / {}", readable(figure, median_of(ours, figure)),
                     readable(figure, median_of(theirs, figure)));
}

}  // namespace

std::vector<std::string> columns_of(std::string_view workload) {
  if (workload == "contended" || workload == "mixed" || workload == "hog")
    return {"ops_per_s",    "share",       "wait_p50_ns",   "wait_p99_ns",  "wait_p999_ns",
            "wait_half_ns", "wait_max_ns", "stall_p999_ns", "stall_max_ns", "cpu_percent"};
  if (workload == "read_mostly")
    return {"ops_per_s",    "reads_per_s",  "writes_per_s", "share",         "wait_p50_ns",  "wait_p99_ns",
            "wait_p999_ns", "wait_half_ns", "wait_max_ns",  "stall_p999_ns", "stall_max_ns", "cpu_percent"};
  if (workload == "condition") return {"ops_per_s", "cpu_percent"};
  if (workload == "timeout_storm")
    return {"p99_ns",         "calm_p99_ns", "p99_ratio",   "max_ns",          "calm_max_ns",
            "last_unlock_ns", "ops_per_s",   "cpu_percent", "lateness_p50_ns", "lateness_max_ns"};
  if (workload == "try_for") return {"ns", "lock_ns", "lock_ratio"};
  if (workload == "processes_contended")
    return {"ops_per_s",   "share",       "wait_p50_ns", "wait_p99_ns",   "wait_p999_ns", "wait_half_ns",
            "wait_max_ns", "away_max_ns", "party_share", "stall_p999_ns", "stall_max_ns", "cpu_percent"};
  if (workload == "processes_takeover")
    return {"p50_ns", "p99_ns", "max_ns", "stall_p999_ns", "stall_max_ns"};
  if (workload == "processes_command") return {"ns", "flock_ns", "flock_ratio", "bare_ns"};
  if (workload.starts_with("processes_")) return {"ns", "robust_ns", "robust_ratio"};
  if (workload == "cluster_update")
    return {"ops_per_s", "share", "p50_ns", "p99_ns", "max_ns", "away_max_ns", "round_trips"};
  if (workload == "cluster_takeover") return {"p50_ns", "p99_ns", "max_ns"};
  if (workload.starts_with("insight_"))
    return {"on_off_ratio",
            "on_off_p10_ratio",
            "on_off_p90_ratio",
            "control_ratio",
            "control_p10_ratio",
            "control_p90_ratio",
            "ns",
            "on_ns"};
  if (workload == "seed")
    return {"ops_per_s",       "cpu_percent",     "rss_peak_bytes", "lateness_p50_ns",
            "lateness_p99_ns", "lateness_max_ns", "stall_p999_ns",  "stall_max_ns"};
  if (workload == "burst") return {"ns", "p99_ns", "max_ns", "stall_p999_ns", "stall_max_ns"};
  if (workload == "sleep")
    return {"p50_ns", "p99_ns", "max_ns", "stall_p999_ns", "stall_max_ns", "cpu_percent"};
  if (workload == "footprint") return {"bytes_per_task", "page_table_bytes_per_task", "rss_bytes"};
  if (workload == "timer") return {"ns", "lateness_p50_ns", "lateness_p99_ns"};
  if (workload == "idle") return {"cpu_percent"};
  return {"ns"};
}

bool more_is_better(std::string_view figure) {
  return figure.ends_with("_per_s") || figure.ends_with("share") || figure.starts_with("on_off_");
}

grid losses(const result& r) {
  grid g{{"faster than us", "ours", "by", "ours / theirs", "share", "wait p99.9", "wait half", "wait max"},
         {},
         2};
  for (const judged& line : r.lines) {
    const outcome& peer = line.what;
    const std::string figure = columns_of(peer.of.workload).front();
    if (is_ours(peer.of.contender) || !is_sound(peer, figure)) continue;
    const outcome* ours = best_of_ours(r, peer, figure);
    if (ours == nullptr) continue;
    const double own = median_of(*ours, figure), their = median_of(peer, figure);
    const double by = more_is_better(figure) ? their / own : own / their;
    if (!(by > 1)) continue;
    g.rows.push_back({peer.of.name(), ours->of.kind, fmt::format("{:.2f}x", by), both(figure, *ours, peer),
                      both("share", *ours, peer), both("wait_p999_ns", *ours, peer),
                      both("wait_half_ns", *ours, peer), both("wait_max_ns", *ours, peer)});
  }
  return g;
}

}  // namespace app::bench
