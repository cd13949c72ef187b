// The part of the plan about locks that processes share.
#include <app/bench/bars.hpp>
#include <app/bench/plan.hpp>

#include <string_view>

namespace app::bench::plan_detail {
namespace {

constexpr const char* robust = "pthread_robust";

// Alone in one process, each in turns with pthread's robust mutex, so that no cell is a bar's peer.
void add_alone(planner& p) {
  const params effort{{"iterations", p.quick() ? 100'000 : 1'000'000}};
  const auto add = [&](group& g, const char* contender, const char* kind, std::vector<bar> bars = {}) {
    g.cells.push_back({g.workload, contender, kind, {}, effort, std::move(bars)});
  };
  group lock{"S1", "processes_uncontended", {}}, update{"S2", "processes_update", {}},
      read{"S3", "processes_read", {}};
  add(lock, "mortise", "thread", {bars::s1()});
  add(update, "mortise", "thread", {bars::s2()});
  add(read, "mortise", "thread", {bars::s3()});
  for (group* g : {&lock, &update, &read}) {
    add(*g, "mortise", "fiber");
    add(*g, robust, "thread");
    add(*g, "boost_interprocess", "thread");
  }
  add(lock, "flock", "thread");
  lock.cells.back().effort.front().second /= 20;  // two system calls each time
  for (group* g : {&lock, &update, &read}) p.groups.push_back(std::move(*g));
}

struct lengths {
  std::int64_t held_ns, gap_ns;
};

// Where sections are so short that one process has whole time slices to itself, 99.9 % of its acquisitions wait for nobody: their
// p99.9 says what two looks at the clock take. A wait's bar is where there are waits.
void processes_contend(planner& p, const lengths& l) {
  group g{"S4", "processes_contended", {}};
  const params given{{"processes", 4}, {"parties", 1}, {"held_ns", l.held_ns}, {"gap_ns", l.gap_ns}};
  const params effort{{"for_ms", p.for_ms(150)}};
  for (const char* contender : {"mortise", robust, "boost_interprocess", "flock"})
    g.cells.push_back({g.workload, contender, "thread", given, effort});
  const std::string peer = g.cells[1].name();
  g.cells.front().bars.push_back(bars::s4_ops(peer));
  if (l.held_ns >= 1'000) g.cells.front().bars.push_back(bars::s4_wait(peer));
  p.groups.push_back(std::move(g));
}

// Crowds in each process. Where each lets others run between its turns all have their turns; where none does, a thread that has
// the lock takes it again and again as long as it has its core, and the others sleep: that is shown without a bar.
void crowds_contend(planner& p, bool yields) {
  group g{yields ? "S5" : "", "processes_contended", {}};
  const auto given = [yields](std::int64_t workers) {
    params made{{"processes", 4}, {"parties", 1'000}};
    if (workers != 0) made.emplace_back("workers", workers);
    made.emplace_back("yields", yields);
    return made;
  };
  const params effort{{"for_ms", p.for_ms(150)}};
  for (const std::int64_t workers : {1, 2})
    g.cells.push_back({g.workload, "mortise", "fiber", given(workers), effort});
  g.cells.push_back({g.workload, robust, "thread", given(0), effort});
  for (cell& c : g.cells) {
    if (yields && c.contender == std::string_view{"mortise"})
      c.bars.push_back(bars::s5(g.cells.back().name()));
  }
  p.groups.push_back(std::move(g));
}

void add_takeovers(planner& p) {
  const params effort{{"samples", p.quick() ? 20 : 150}};
  // A holder that is large takes the kernel long to take apart.
  for (const std::int64_t resident_mb : {0, 256}) {
    if (resident_mb != 0 && !p.full()) continue;
    group g{"S6", "processes_takeover", {}};
    for (const auto& [contender, kind] :
         {std::pair{"mortise", "thread"}, {"mortise", "fiber"}, {robust, "thread"}}) {
      g.cells.push_back({g.workload, contender, kind, {{"resident_mb", resident_mb}}, effort});
      if (contender == std::string_view{"mortise"} && resident_mb == 0) g.cells.back().bars = {bars::s6()};
    }
    p.groups.push_back(std::move(g));
  }
}

}  // namespace

void add_processes(planner& p) {
  add_alone(p);
  for (const lengths& l : {lengths{0, 0}, {20, 200}, {2'000, 2'000}}) {
    if (!p.quick() || l.held_ns != 20) processes_contend(p, l);
  }
  for (const bool yields : {true, false}) {
    if (!p.quick() || yields) crowds_contend(p, yields);
  }
  add_takeovers(p);
  const params effort{{"samples", p.quick() ? 10 : 60}};
  p.groups.push_back(
      {"S7", "processes_command", {{"processes_command", "mortise", "command", {}, effort, {bars::s7()}}}});
}

}  // namespace app::bench::plan_detail
