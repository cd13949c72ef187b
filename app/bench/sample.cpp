#include <app/bench/sample.hpp>

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

namespace app::bench {
namespace {

using json = nlohmann::ordered_json;

const double* find(const sample& s, std::string_view name) {
  for (const auto& [key, value] : s) {
    if (key == name) return &value;
  }
  return nullptr;
}

// Without these a line is no result.
const std::vector<std::string>& required(const std::string& workload) {
  static const std::vector<std::string> contended{
      "ops",          "duration_ns", "ops_per_s", "share",         "wait_p50_ns", "wait_p99_ns",
      "wait_p999_ns", "wait_max_ns", "cpu_ns",    "stall_p999_ns", "stall_max_ns"};
  static const std::vector<std::string> just_ns{"ns"};
  static const std::vector<std::string> on_and_off{"ops", "ns", "on_ns", "on_off_ratio", "control_ratio"};
  static const std::vector<std::string> beside_robust{"ns", "robust_ns", "robust_ratio"};
  static const std::map<std::string, std::vector<std::string>> by_workload{
      {"contended", contended},
      {"mixed", contended},
      {"hog", contended},
      {"seed", {"ops", "duration_ns", "ops_per_s", "cpu_ns", "rss_peak_bytes"}},
      {"sleep", {"p50_ns", "p99_ns", "max_ns", "cpu_ns", "duration_ns"}},
      {"footprint", {"bytes_per_task", "rss_bytes"}},
      {"idle", {"cpu_ns", "duration_ns"}},
      {"read_mostly",
       {"ops", "duration_ns", "ops_per_s", "reads_per_s", "writes_per_s", "share", "cpu_ns", "stall_p999_ns",
        "stall_max_ns"}},
      {"condition", {"ops", "duration_ns", "ops_per_s", "cpu_ns"}},
      {"timeout_storm",
       {"p99_ratio", "p99_ns", "calm_p99_ns", "last_unlock_ns", "ops", "duration_ns", "lateness_p50_ns"}},
      {"try_for", {"ns", "lock_ns", "lock_ratio"}},
      {"processes_uncontended", beside_robust},
      {"processes_update", beside_robust},
      {"processes_read", beside_robust},
      {"processes_contended", contended},
      {"processes_takeover", {"p50_ns", "p99_ns", "max_ns", "stall_p999_ns", "stall_max_ns"}},
      {"cluster_update",
       {"ops", "duration_ns", "ops_per_s", "share", "p50_ns", "p99_ns", "max_ns", "away_max_ns"}},
      {"cluster_takeover", {"p50_ns", "p99_ns", "max_ns"}},
      {"insight_profile", on_and_off},
      {"insight_waits", on_and_off},
      {"insight_stacks", on_and_off},
      {"insight_trace", on_and_off},
      {"processes_command", {"ns", "flock_ns", "flock_ratio", "bare_ns"}},
  };
  const auto found = by_workload.find(workload);
  return found == by_workload.end() ? just_ns : found->second;
}

json parse(const std::string& printed) {
  std::string text = printed;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  json line = text.find('\n') == std::string::npos ? json::parse(text, nullptr, false) : json();
  if (!line.is_object()) throw bad_sample("its output is not one JSON object in one line");
  return line;
}

// What mortise run says in its own words.
void flatten(const json& line, const char* key, const char* name, sample& into) {
  const auto found = line.find(key);
  if (found == line.end() || !found->is_object()) return;
  for (const auto& [quantile, value] : found->items()) {
    if (value.is_number()) into.emplace_back(fmt::format("{}_{}_ns", name, quantile), value.get<double>());
  }
}

void require_order(const sample& s, std::initializer_list<const char*> names) {
  const double* last = nullptr;
  for (const char* name : names) {
    const double* value = find(s, name);
    if (value == nullptr) continue;
    if (last != nullptr && *value < *last)
      throw bad_sample(fmt::format("{} is below the quantile before it", name));
    last = value;
  }
}

void require_consistent(const cell& c, const sample& s) {
  for (const auto& [name, value] : s) {
    if (!std::isfinite(value) ||
        (value < 0 && name != "bytes_per_task" && name != "page_table_bytes_per_task"))
      throw bad_sample(fmt::format("{} is {}", name, value));
  }
  for (const char* name : {"overlaps", "map_mismatches", "early"}) {
    const double* value = find(s, name);
    if (value != nullptr && *value != 0) throw bad_sample(fmt::format("{}: {}", name, *value));
  }
  const double* ops = find(s, "ops");
  // Where one holds for long the others may have had nothing at all: that is a result.
  if (ops != nullptr && *ops == 0 && c.workload != "hog") throw bad_sample("ops is 0");
  const double* duration = find(s, "duration_ns");
  if (duration != nullptr && *duration == 0) throw bad_sample("duration_ns is 0");
  const double* rate = find(s, "ops_per_s");
  if (ops != nullptr && duration != nullptr && rate != nullptr) {
    const double expected = *ops * 1e9 / *duration;
    if (std::abs(*rate - expected) > expected / 100)
      throw bad_sample(
          fmt::format("ops_per_s is {:.0f}, but ops and duration_ns make it {:.0f}", *rate, expected));
  }
  const double* writes = find(s, "writes_per_s");
  if (writes != nullptr && *writes > 0 && find(s, "wait_p999_ns") == nullptr)
    throw bad_sample("somebody wrote, but nobody's wait was timed");
  for (const char* peer : {"lock", "robust", "flock"}) {
    const std::string peers = fmt::format("{}_ns", peer), of_both = fmt::format("{}_ratio", peer);
    const double *theirs = find(s, peers), *own = find(s, "ns"), *ratio = find(s, of_both);
    if (theirs != nullptr && own != nullptr && ratio != nullptr &&
        std::abs(*ratio * *theirs - *own) > *own / 100)
      throw bad_sample(
          fmt::format("{} is {}, but ns and {} make it {}", of_both, *ratio, peers, *own / *theirs));
  }
  const double* share = find(s, "share");
  if (share != nullptr && *share > 1) throw bad_sample(fmt::format("share is {}", *share));
  require_order(s, {"wait_p50_ns", "wait_p99_ns", "wait_p999_ns", "wait_max_ns"});
  require_order(s, {"wait_half_ns", "wait_max_ns"});
  require_order(s, {"on_off_p10_ratio", "on_off_ratio", "on_off_p90_ratio"});
  require_order(s, {"control_p10_ratio", "control_ratio", "control_p90_ratio"});
  require_order(s, {"p50_ns", "p99_ns", "max_ns"});
  require_order(s, {"away_p50_ns", "away_p99_ns", "away_max_ns"});
  require_order(s, {"lateness_p50_ns", "lateness_p99_ns", "lateness_max_ns"});
}

}  // namespace

sample read_sample(const cell& c, const std::string& printed) {
  const json line = parse(printed);
  const auto skipped = line.find("skipped");
  if (skipped != line.end() && skipped->is_string()) throw skipped_sample(skipped->get<std::string>());
  if (line.value("interrupted", false)) throw bad_sample("it was interrupted");
  sample s;
  for (const auto& [key, value] : line.items()) {
    if (value.is_number()) s.emplace_back(key, value.get<double>());
  }
  flatten(line, "wait_ns", "wait", s);
  flatten(line, "lateness_ns", "lateness", s);
  for (const std::string& name : required(c.workload)) {
    if (find(s, name) == nullptr) throw bad_sample(fmt::format("its result has no {}", name));
  }
  require_consistent(c, s);
  const double* cpu = find(s, "cpu_ns");
  const double* duration = find(s, "duration_ns");
  if (cpu != nullptr && duration != nullptr && find(s, "cpu_percent") == nullptr)
    s.emplace_back("cpu_percent", 100 * *cpu / *duration);
  return s;
}

}  // namespace app::bench
