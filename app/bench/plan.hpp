#pragma once

#include <app/bench/cell.hpp>
#include <string>
#include <vector>

namespace app::bench {

// What is measured in this mode on a machine of so many usable cores, with the bars. The whole of it; names of cells are unique.
std::vector<group> plan(mode m, unsigned cores);

// Of the plan what has one of these ids or workloads; if there are none, all but what is measured only by name. `P6` is P6a and P6b. Throws
// usage_error (app/run/options.hpp) for a word that is neither.
std::vector<group> choose(std::vector<group> all, const std::vector<std::string>& words);

// About how long one repetition of a cell takes, process and all.
double seconds_of(const cell& c);

namespace plan_detail {

// What the parts of the plan are made from.
struct planner {
  mode how;
  unsigned cores;
  std::vector<group> groups = {};

  bool quick() const { return how == mode::quick; }
  bool full() const { return how == mode::full; }
  // A window of time: shorter in a smoke test, where nothing is believed.
  std::int64_t for_ms(std::int64_t ms) const { return quick() ? ms / 10 + 20 : ms; }
};

void add_seed(planner& p);
void add_asleep(planner& p);     // footprint, sleep, timer, idle
void add_switching(planner& p);  // switch, spawn
void add_uncontended(planner& p);
void add_contended(planner& p);
void add_crowds(planner& p);     // mixed, burst, hog
void add_family(planner& p);     // rw_uncontended, read_mostly, condition, timeout_storm, try_for
void add_processes(planner& p);  // processes_...
void add_cluster(planner& p);    // cluster_...
void add_insight(planner& p);    // insight_...

}  // namespace plan_detail
}  // namespace app::bench
