#include <app/run/duration.hpp>
#include <app/run/report.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <mortise/base/version.hpp>
#include <mortise/cluster/json/numbers.hpp>
#include <nlohmann/json.hpp>

namespace app {

std::string three_lines(const run_result& r) {
  std::string out = fmt::format("readOps: {}\nwriteOps: {}\nstate: map[", r.read_ops, r.write_ops);
  const char* gap = "";
  for (const auto& [key, value] : r.state) {
    out += fmt::format("{}{}:{}", gap, key, value);
    gap = " ";
  }
  return out + "]\n";
}

std::optional<double> limit_ops_per_s(const run_options& o) {
  if (o.sleep_ns == 0) return std::nullopt;
  return static_cast<double>(o.parties()) * 1e9 / static_cast<double>(o.sleep_ns);
}

namespace {

nlohmann::ordered_json of_buckets(const std::vector<bucket>& all) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const bucket& b : all) list.push_back({{"from", b.from}, {"to", b.to}, {"count", b.count}});
  return list;
}

std::int64_t whole(double n) { return static_cast<std::int64_t>(n + 0.5); }

nlohmann::ordered_json of_places(const std::vector<mortise::insight::profile::place>& all) {
  constexpr std::size_t most = 50;  // which is more than anybody reads
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < std::min(all.size(), most); ++i) {
    const mortise::insight::profile::place& p = all[i];
    list.push_back({{"function", p.function},
                    {"file", p.file},
                    {"line", p.line},
                    {"contentions", whole(p.contentions)},
                    {"delay_ns", whole(p.delay_ns)},
                    {"waits", whole(p.waits)},
                    {"wait_ns", whole(p.wait_ns)}});
  }
  return list;
}

nlohmann::ordered_json json_of(const run_options& o, const run_result& r) {
  const double seconds = static_cast<double>(r.duration_ns) / 1e9;
  auto percentiles = [](const histogram::summary& s) {
    return nlohmann::ordered_json{{"p50", s.p50}, {"p99", s.p99}, {"max", s.max}};
  };
  nlohmann::ordered_json j;
  j["schema"] = "mortise.run/1";
  j["version"] = MORTISE_VERSION;
  j["scope"] = to_string(o.scope);
  j["tasks"] = to_string(o.tasks);
  j["lock"] = to_string(o.lock);
  j["readers"] = o.readers;
  j["writers"] = o.writers;
  j["keys"] = o.keys;
  j["values"] = o.values;
  j["sleep_ns"] = o.sleep_ns;
  j["seed"] = o.seed;
  j["workers"] = r.workers;
  const bool killed = o.scope == scope_kind::processes;
  const bool processes = killed || o.scope == scope_kind::cluster;
  if (processes) j["processes"] = o.processes;
  if (killed) j["kill_every_ns"] = o.kill_every_ns;
  j["duration_ns"] = r.duration_ns;
  j["interrupted"] = r.interrupted_by != 0;
  j["read_ops"] = r.read_ops;
  j["write_ops"] = r.write_ops;
  j["ops"] = r.ops();
  j["ops_per_s"] = seconds > 0 ? static_cast<double>(r.ops()) / seconds : 0.0;
  j["limit_ops_per_s"] = nullptr;
  if (const auto limit = limit_ops_per_s(o)) j["limit_ops_per_s"] = *limit;
  j["overlaps"] = r.overlaps;
  j["map_mismatches"] = r.map_mismatches;
  if (processes) j["torn"] = r.torn;
  if (killed) j["kills"] = r.kills;
  if (r.cluster) j["lost"] = r.cluster->lost;
  if (r.cluster) j["unknown"] = r.cluster->unknown;
  j["cpu_ns"] = r.cpu_ns;
  j["rss_peak_bytes"] = r.rss_peak_bytes;
  // Appended: looking a key up first would be linear in an object that keeps its order.
  nlohmann::ordered_json::object_t state;
  for (const auto& [key, value] : r.state) state.emplace_back(std::to_string(key), value);
  j["state"] = std::move(state);
  j["wait_ns"] = percentiles(r.wait);
  j["lateness_ns"] = percentiles(r.lateness);
  if (r.cluster) j["cluster"] = r.cluster->lock;
  if (r.cluster) j["leases"] = r.cluster->lease;
  return j;
}

}  // namespace

std::string as_json(const run_options& o, const run_result& r) { return json_of(o, r).dump() + "\n"; }

std::string page_data(const run_options& o, const run_result& r) {
  nlohmann::ordered_json j = json_of(o, r);
  nlohmann::ordered_json throughput = nlohmann::ordered_json::array();
  for (const auto& [ns, ops] : r.detail->throughput) throughput.push_back({{"ns", ns}, {"ops", ops}});
  j["throughput"] = throughput;
  j["wait_histogram"] = of_buckets(r.detail->wait);
  j["lateness_histogram"] = of_buckets(r.detail->lateness);
  const turn_distribution& t = r.detail->turns;
  j["turns_per_task"] = {
      {"least", t.least}, {"median", t.median}, {"most", t.most}, {"histogram", of_buckets(t.histogram)}};
  if (r.detail->profile) j["profile"] = of_places(*r.detail->profile);
  return j.dump();
}

std::string with_thousands(std::uint64_t n) {
  std::string s = std::to_string(n);
  for (std::size_t at = s.size(); at > 3; at -= 3) s.insert(at - 3, 1, ',');
  return s;
}

std::string summary_line(const run_options& o, const run_result& r) {
  const double seconds = static_cast<double>(r.duration_ns) / 1e9;
  std::string possible;
  if (const auto limit = limit_ops_per_s(o)) {
    possible =
        fmt::format(" of {} possible", with_thousands(static_cast<std::uint64_t>(*limit * seconds + 0.5)));
  }
  const double share =
      r.duration_ns > 0 ? 100.0 * static_cast<double>(r.cpu_ns) / static_cast<double>(r.duration_ns) : 0;
  std::string line = fmt::format("{}{} in {:.2f} s, {:.0f} % of a core, lock wait p99 {:.1f} us, overlaps {}",
                                 with_thousands(r.ops()), possible, seconds, share,
                                 static_cast<double>(r.wait.p99) / 1000, r.overlaps);
  if (r.map_mismatches != 0) line += fmt::format(", map mismatches {}", r.map_mismatches);
  if (o.scope != scope_kind::process) line += fmt::format(", torn {}", r.torn);
  if (r.cluster) line += fmt::format(", lost {}, unknown {}", r.cluster->lost, r.cluster->unknown);
  if (r.kills != 0) line += fmt::format(", processes killed {}", r.kills);
  return line;
}

std::string compare_with(const run_options& o) {
  if (o.tasks == task_kind::thread && o.lock == lock_kind::std) return "mortise run";
  if (o.scope == scope_kind::processes) return "mortise run";
  if (o.scope == scope_kind::cluster) return "mortise run --scope processes";
  if (o.parties() > 10'000) return "mortise run --tasks thread --lock std";
  std::string same;
  const run_options usual;
  if (o.readers != usual.readers) same += fmt::format(" --readers {}", o.readers);
  if (o.writers != usual.writers) same += fmt::format(" --writers {}", o.writers);
  if (o.sleep_ns != usual.sleep_ns) same += " --sleep " + format_duration(o.sleep_ns);
  if (o.for_ns != usual.for_ns) same += " --for " + format_duration(o.for_ns);
  return "mortise run --tasks thread --lock std" + same;
}

}  // namespace app
