#include <app/bench/plan.hpp>
#include <app/run/options.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace app::bench {

std::string cell::name() const {
  std::string text = workload + "/" + contender + "/kind:" + kind;
  for (const auto& [key, value] : given) text += fmt::format("/{}:{}", key, value);
  return text;
}

std::vector<group> plan(mode m, unsigned cores) {
  plan_detail::planner p{m, cores};
  plan_detail::add_seed(p);
  plan_detail::add_uncontended(p);
  plan_detail::add_contended(p);
  plan_detail::add_crowds(p);
  plan_detail::add_family(p);
  plan_detail::add_switching(p);
  plan_detail::add_asleep(p);
  plan_detail::add_processes(p);
  plan_detail::add_cluster(p);
  plan_detail::add_insight(p);
  return std::move(p.groups);
}

std::vector<group> choose(std::vector<group> all, const std::vector<std::string>& words) {
  std::set<std::string> known;
  std::string ids, workloads;
  for (const group& g : all) {
    if (!g.id.empty() && known.insert(g.id).second) ids += " " + g.id;
    if (known.insert(g.workload).second) workloads += " " + g.workload;
  }
  const auto names = [](const std::string& word, const group& g) {
    // P6 is P6a and P6b, but P1 is not P12.
    const bool family = g.id.size() == word.size() + 1 && g.id.starts_with(word) && g.id.back() >= 'a';
    return word == g.id || word == g.workload || family;
  };
  for (const std::string& word : words) {
    if (!word.empty() && std::any_of(all.begin(), all.end(), [&](const group& g) { return names(word, g); }))
      continue;
    const std::string near = word.empty() ? "" : nearest(word, {known.begin(), known.end()});
    throw usage_error(near.empty()
                          ? fmt::format("{}: neither an id ({}) nor a workload ({})", word, ids.substr(1),
                                        workloads.substr(1))
                          : fmt::format("{}: neither an id nor a workload; did you mean {}?", word, near));
  }
  if (words.empty()) {
    std::erase_if(all, [](const group& g) { return g.only_by_name; });
    return all;
  }
  std::erase_if(all, [&](const group& g) {
    return std::none_of(words.begin(), words.end(), [&](const std::string& word) { return names(word, g); });
  });
  return all;
}

double seconds_of(const cell& c) {
  const auto value = [](const params& of, const char* key) {
    for (const auto& [name, n] : of) {
      if (name == key) return static_cast<double>(n);
    }
    return 0.0;
  };
  const double window = value(c.effort, "for_ms") / 1'000;
  const double tasks = value(c.given, "readers") + value(c.given, "writers") + value(c.given, "tasks");
  const bool stalls = c.workload == "contended" || c.workload == "processes_contended" ||
                      c.workload == "mixed" || c.workload == "burst" || c.workload == "hog" ||
                      c.workload == "read_mostly";
  double seconds = 0.03 + window + (stalls ? std::max(0.02, window / 4) : 0);
  if (c.workload.starts_with(
          "cluster_"))  // an etcd for each; a takeover takes as long as a lease, or no time
    return 1.5 + window + value(c.given, "killed") * (value(c.given, "ttl_ms") / 1'000 + 3) +
           (value(c.given, "killed") != 0 ? 0.05 : 0.15) * value(c.effort, "samples");
  if (c.workload.starts_with("insight_")) return 0.4 + window;
  if (c.workload.starts_with("processes_"))
    return seconds + value(c.effort, "iterations") * (c.contender == "flock" ? 1.2e-6 : 50e-9) +
           value(c.effort, "samples") * (c.workload == "processes_command" ? 7e-3 : 4e-3) +
           value(c.given, "processes") *
               (2e-3 + value(c.given, "parties") * (c.kind == "thread" ? 100e-6 : 10e-6));
  seconds += value(c.effort, "iterations") * 15e-9;
  seconds += value(c.effort, "samples") * 1.35e-3;
  if (c.workload == "seed" || c.workload == "timer") seconds += tasks * 6e-6;
  if (c.workload == "footprint") seconds += 0.5 + tasks * (c.kind == "coroutine" ? 1e-6 : 8e-6);
  if (c.workload == "seed") seconds += 0.04;
  // A million goroutines that already want the mutex while the others are started: 89 s until all have had it once.
  if (c.workload == "seed" && c.contender == "go" && tasks > 200'000) seconds += tasks * 75e-6;
  if (c.workload == "idle") seconds += 0.3;
  if (c.workload == "condition") seconds += c.kind == "thread" ? 0.15 : 0.06;
  if (c.workload == "timeout_storm") seconds += window + (c.contender == "boost_fiber" ? 0.7 : 0.1);
  return seconds;
}

}  // namespace app::bench
