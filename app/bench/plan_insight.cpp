// The parts of the plan about insight: what each costs while it is on. Ours only, each load against itself in one process.
#include <app/bench/bars.hpp>
#include <app/bench/plan.hpp>

namespace app::bench::plan_detail {
namespace {

struct load {
  const char* kind;
  params given;
};

// The seed's program where it sleeps, where it only lets others run, and where all want the lock at every moment.
std::vector<load> loads(const planner& p) {
  std::vector<load> all{
      {"fiber", {{"parties", 110}, {"sleep_us", 1'000}}},
      {"fiber", {{"parties", 11'000}, {"sleep_us", 1'000}}},
      {"thread", {{"parties", 110}}},
      {"thread", {{"parties", 1}, {"yields", 0}}},
      {"thread", {{"parties", 8}, {"yields", 0}}},
  };
  for (const std::int64_t workers : {1, 2}) {
    if (workers > static_cast<std::int64_t>(p.cores)) continue;
    for (const char* kind : {"fiber", "coroutine"}) {
      all.push_back({kind, {{"parties", 110}, {"workers", workers}}});
      all.push_back({kind, {{"parties", 110}, {"workers", workers}, {"yields", 0}}});
    }
  }
  return all;
}

// By name only: in the default run and the full one is no minute left.
void add(planner& p, const char* id, const char* workload, const std::vector<bar>& bars) {
  group g{id, workload, {}, true};
  const params effort{{"for_ms", p.quick() ? 200 : p.full() ? 5'000 : 2'000}};
  for (load& l : loads(p)) g.cells.push_back({workload, "mortise", l.kind, std::move(l.given), effort, bars});
  p.groups.push_back(std::move(g));
}

}  // namespace

void add_insight(planner& p) {
  add(p, "I1", "insight_profile", {bars::i1()});
  add(p, "I2", "insight_waits", {});
  add(p, "I3", "insight_stacks", {});
  add(p, "I4", "insight_trace", {});
}

}  // namespace app::bench::plan_detail
