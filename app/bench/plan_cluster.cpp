// The part of the plan about locks on etcd.
#include <app/bench/bars.hpp>
#include <app/bench/plan.hpp>

namespace app::bench::plan_detail {
namespace {

constexpr const char* ours = "mortise_etcd";
constexpr const char* go = "go_etcd";

group updates(planner& p, const char* id, std::int64_t processes, std::int64_t parties) {
  group g{id, "cluster_update", {}};
  const params given{{"processes", processes}, {"parties", parties}}, effort{{"for_ms", p.for_ms(1'500)}};
  if (parties == 1) g.cells.push_back({g.workload, ours, "thread", given, effort});
  g.cells.push_back({g.workload, ours, "fiber", given, effort});
  g.cells.push_back({g.workload, go, "goroutine", given, effort});
  if (parties != 1) g.cells.push_back({g.workload, go, "goroutine_behind_mutex", given, effort});
  return g;
}

}  // namespace

void add_cluster(planner& p) {
  group alone = updates(p, "C1", 1, 1);
  for (std::size_t i = 0; i < 2; ++i)
    alone.cells[i].bars = {bars::c1_ops(alone.cells.back().name()), bars::c1_round_trips()};
  group crowd = updates(p, "C2", 1, 100);
  crowd.cells[0].bars = {bars::c2({crowd.cells[1].name(), crowd.cells[2].name()})};
  group crowds = updates(p, "C3", 3, 100);
  crowds.cells[0].bars = {bars::c3_ops({crowds.cells[1].name(), crowds.cells[2].name()}), bars::c3_away()};

  // Two seconds are the least that an etcd allows as it comes.
  group killed{"C4", "cluster_takeover", {}}, ended{"C5", "cluster_takeover", {}};
  for (const auto& [contender, kind] : {std::pair{ours, "thread"}, {go, "goroutine"}}) {
    killed.cells.push_back({killed.workload,
                            contender,
                            kind,
                            {{"killed", 1}, {"ttl_ms", 2'000}},
                            {{"samples", p.quick() ? 2 : 12}}});
    ended.cells.push_back(
        {ended.workload, contender, kind, {{"killed", 0}}, {{"samples", p.quick() ? 2 : 20}}});
  }
  killed.cells[0].bars = {bars::c4()};
  ended.cells[0].bars = {bars::c5()};
  for (group* g : {&alone, &crowd, &crowds, &killed, &ended}) {
    g->only_by_name = true;  // four minutes, and an etcd
    p.groups.push_back(std::move(*g));
  }
}

}  // namespace app::bench::plan_detail
