// The parts of the plan about the runtime: the seed's program, and what a task costs.
#include <app/bench/bars.hpp>
#include <app/bench/plan.hpp>

namespace app::bench::plan_detail {
namespace {

struct size {
  const char* id;
  std::int64_t readers, writers, ms, full_ms;
};

params at(const size& s, std::int64_t workers = 0) {
  params given{{"readers", s.readers}, {"writers", s.writers}};
  if (workers != 0) given.emplace_back("workers", workers);
  return given;
}

// The bars of one of ours, against peers of the same group.
std::vector<bar> bars_of(const size& s, const std::string& kind, const std::vector<std::string>& go,
                         const std::vector<std::string>& tokio) {
  const std::string id = s.id;
  if (id == "P1") return {bars::p1_ops(), bars::p1_cpu()};
  if (id == "P2") return {bars::p2()};
  if (id == "P3" && kind == "fiber")
    return {bars::p3(), bars::p3_against_go(go.front()), bars::p3_against_best_go(go),
            bars::p3_against_tokio(tokio)};
  return {};
}

// Ours, Go's, Tokio's and Boost.Fiber's tasks and, where so many can be had, threads.
group seed_of(const planner& p, const size& s) {
  const params effort{{"for_ms", p.quick() ? 300 : p.full() ? s.full_ms : s.ms}};
  const bool small = s.readers <= 100;
  std::vector<std::int64_t> workers{0};  // as it comes: the best that a program of 110 tasks gets
  if (!small) workers = p.cores > 1 ? std::vector<std::int64_t>{1, 2} : std::vector<std::int64_t>{1};
  const auto peers = [&](const char* contender, const char* kind, std::vector<std::int64_t> of) {
    std::vector<cell> made;
    for (const std::int64_t w : of) made.push_back({"seed", contender, kind, at(s, w), effort});
    return made;
  };
  std::vector<cell> go =
      peers("go", "goroutine", {0});  // GOMAXPROCS as it comes, and others: its best is looked for
  if (!small) {
    for (const std::int64_t procs : {1, 2}) {
      if (procs < static_cast<std::int64_t>(p.cores)) go.push_back(peers("go", "goroutine", {procs}).front());
    }
  }
  std::vector<cell> others = peers("tokio", "task", workers);
  // Tokio's own book: where no lock is held over an await, std's mutex is the one to take.
  for (cell& c : peers("tokio", "task_std", workers)) others.push_back(std::move(c));
  const std::size_t tokios = others.size();
  if (s.readers <= 100'000) {
    for (cell& c : peers("boost_fiber", "fiber", small ? workers : std::vector<std::int64_t>{1}))
      others.push_back(std::move(c));
  }
  if (small) others.push_back(peers("std", "thread", {0}).front());

  std::vector<std::string> go_names, tokio_names;
  for (const cell& c : go) go_names.push_back(c.name());
  for (std::size_t i = 0; i < tokios; ++i) tokio_names.push_back(others[i].name());
  group g{s.id, "seed", {}};
  for (const char* kind : {"fiber", "coroutine"}) {
    for (cell& c : peers("mortise", kind, workers)) {
      c.bars = bars_of(s, kind, go_names, tokio_names);
      g.cells.push_back(std::move(c));
    }
  }
  for (std::vector<cell>* more : {&go, &others}) {
    for (cell& c : *more) g.cells.push_back(std::move(c));
  }
  return g;
}

group footprint_of(const planner& p) {
  const std::int64_t tasks = p.full() ? 1'000'000 : p.quick() ? 50'000 : 100'000;
  group g{"P4", "footprint", {}};
  for (const char* kind : {"coroutine", "fiber"}) {
    g.cells.push_back({"footprint", "mortise", kind, {{"tasks", tasks}}, {}, {bars::p4(kind)}});
  }
  g.cells.push_back({"footprint", "go", "goroutine", {{"tasks", tasks}}, {}});
  g.cells.push_back({"footprint", "tokio", "task", {{"tasks", tasks}}, {}});
  g.cells.push_back(
      {"footprint", "boost_fiber", "fiber", {{"tasks", std::min<std::int64_t>(tasks, 100'000)}}, {}});
  return g;
}

}  // namespace

void add_seed(planner& p) {
  p.groups.push_back(seed_of(p, {"P1", 100, 10, 1'000, 1'000}));
  p.groups.push_back(seed_of(p, {"P2", 10'000, 1'000, 700, 2'000}));
  p.groups.push_back(seed_of(p, {"P3", 100'000, 10'000, 700, 2'000}));
  if (p.full()) p.groups.push_back(seed_of(p, {"", 1'000'000, 100'000, 2'000, 2'000}));
}

void add_asleep(planner& p) {
  p.groups.push_back(footprint_of(p));
  if (p.full()) {
    const params ten_million{{"tasks", 10'000'000}};
    p.groups.push_back({"P4",
                        "footprint",
                        {{"footprint", "mortise", "coroutine", ten_million, {}, {bars::p4_ten_million()}}}});
  }

  group sleep{"P8", "sleep", {}};
  const params samples{{"samples", p.quick() ? 100 : p.full() ? 600 : 400}};
  for (const char* kind : {"fiber", "coroutine"})
    sleep.cells.push_back({"sleep", "mortise", kind, {}, samples, bars::p8()});
  sleep.cells.push_back({"sleep", "mortise", "thread", {}, samples});
  sleep.cells.push_back({"sleep", "std", "thread", {}, samples});
  sleep.cells.push_back({"sleep", "boost_fiber", "fiber", {}, samples});
  sleep.cells.push_back({"sleep", "go", "goroutine", {}, samples});
  sleep.cells.push_back({"sleep", "tokio", "task", {}, samples});
  p.groups.push_back(std::move(sleep));

  // Many at once, and some: where they are far between, being on time is what costs.
  for (const std::int64_t tasks : {1'000, 100'000}) {
    if (p.quick() && tasks != 1'000) continue;
    group timer{"", "timer", {}};
    for (const auto& [contender, kind] : {std::pair{"mortise", "fiber"},
                                          {"mortise", "coroutine"},
                                          {"boost_fiber", "fiber"},
                                          {"go", "goroutine"},
                                          {"tokio", "task"}})
      timer.cells.push_back({"timer", contender, kind, {{"tasks", tasks}}, {{"for_ms", p.for_ms(150)}}});
    p.groups.push_back(std::move(timer));
  }

  const params idle{{"tasks", 1'000}};
  p.groups.push_back(
      {"P12", "idle", {{"idle", "mortise", "mixed", idle, {{"for_ms", p.for_ms(1'500)}}, {bars::p12()}}}});
}

void add_switching(planner& p) {
  const params effort{{"for_ms", p.for_ms(200)}};
  for (const std::int64_t parties : {2, 100}) {
    group g{"P11", "switch", {}};
    const params given{{"parties", parties}};
    for (const char* kind : {"fiber", "coroutine"})
      g.cells.push_back({"switch", "mortise", kind, given, effort, {bars::p11_switch()}});
    g.cells.push_back({"switch", "boost_fiber", "fiber", given, effort});
    g.cells.push_back({"switch", "go", "goroutine", given, effort});
    g.cells.push_back({"switch", "tokio", "task", given, effort});
    g.cells.push_back({"switch", "std", "thread", given, effort});
    p.groups.push_back(std::move(g));
  }
  group g{"P11", "spawn", {}};
  const auto given = [](std::int64_t workers) { return params{{"batch", 1'000}, {"workers", workers}}; };
  for (const std::int64_t workers : {1, 2}) {
    if (workers > static_cast<std::int64_t>(p.cores)) continue;
    for (const char* kind : {"fiber", "coroutine"})
      g.cells.push_back({"spawn", "mortise", kind, given(workers), effort, {bars::p11_spawn(kind)}});
    g.cells.push_back({"spawn", "go", "goroutine", given(workers), effort});
    g.cells.push_back({"spawn", "tokio", "task", given(workers), effort});
  }
  g.cells.push_back({"spawn", "boost_fiber", "fiber", given(1), effort});
  g.cells.push_back({"spawn", "std", "thread", {{"batch", 1'000}}, effort});
  p.groups.push_back(std::move(g));
}

}  // namespace app::bench::plan_detail
