// The parts of the plan about the locks beside the mutex: readers, conditions, deadlines.
#include <app/bench/bars.hpp>
#include <app/bench/plan.hpp>

#include <string_view>

namespace app::bench::plan_detail {
namespace {

using std::string_view;

bool is_ours(const cell& c) { return c.contender == string_view{"mortise"}; }

std::string name_in(const group& g, string_view contender, string_view kind) {
  for (const cell& c : g.cells) {
    if (c.contender == contender && c.kind == kind) return c.name();
  }
  return {};
}

std::vector<std::string> names_of_peers(const group& g) {
  std::vector<std::string> names;
  for (const cell& c : g.cells) {
    if (!is_ours(c)) names.push_back(c.name());
  }
  return names;
}

void add_rw_uncontended(planner& p) {
  group g{"F1", "rw_uncontended", {}};
  const params effort{{"iterations", p.quick() ? 300'000 : 3'000'000}};
  const auto add = [&](const char* contender, const char* kind) {
    g.cells.push_back({"rw_uncontended", contender, kind, {}, effort});
  };
  for (const char* kind : {"thread", "fiber", "coroutine"}) add("mortise", kind);
  for (const char* kind : {"thread", "fiber"}) add("std", kind);
  for (const char* contender : {"absl", "nsync", "parking_lot", "rust-std"}) add(contender, "thread");
  add("go", "goroutine");
  add("tokio", "task");
  for (cell& c : g.cells) {
    if (is_ours(c) && c.kind != "coroutine")
      c.bars = {bars::f1("std", name_in(g, "std", c.kind)), bars::f1("absl", name_in(g, "absl", "thread"))};
  }
  p.groups.push_back(std::move(g));
}

constexpr const char* sharing_threads[] = {"mortise", "std", "absl", "nsync", "parking_lot", "rust-std"};

params read_mostly_effort(const planner& p) { return {{"for_ms", p.for_ms(150)}}; }

// Readers alone: what a second core, if there is one, is worth to them, and to std's beside ours.
void add_read_only(planner& p) {
  const auto given = [](std::int64_t parties, std::int64_t workers) {
    params made{{"parties", parties}, {"reads", 100}};
    if (workers != 0) made.emplace_back("workers", workers);
    return made;
  };
  const params effort = read_mostly_effort(p);
  group threads{"F2", "read_mostly", {}};
  for (const std::int64_t parties : {2, 1}) {
    for (const string_view contender : sharing_threads) {
      const bool beside = contender == "mortise" || contender == "std";
      if (p.full() || beside || (parties == 2 && (contender == "absl" || contender == "parking_lot")))
        threads.cells.push_back({"read_mostly", std::string{contender}, "thread", given(parties, 0), effort});
    }
    if (p.full()) threads.cells.push_back({"read_mostly", "go", "goroutine", given(parties, 0), effort});
  }
  for (cell& c : threads.cells) {
    cell alone = c;
    alone.given = given(1, 0);
    if (p.cores > 1 && is_ours(c) && c.given != alone.given) c.bars = {bars::f2("one thread", alone.name())};
  }
  p.groups.push_back(std::move(threads));

  group tasks{"F2", "read_mostly", {}};
  for (const std::int64_t workers : {2, 1}) {
    for (const char* kind : {"fiber", "coroutine"})
      tasks.cells.push_back({"read_mostly", "mortise", kind, given(100, workers), effort});
  }
  for (const std::int64_t workers : {2, 1}) {
    if (workers == 1 && !p.full()) continue;
    tasks.cells.push_back({"read_mostly", "go", "goroutine", given(100, workers), effort});
    tasks.cells.push_back({"read_mostly", "tokio", "task", given(100, workers), effort});
  }
  for (cell& c : tasks.cells) {
    cell alone = c;
    alone.given = given(100, 1);
    if (p.cores > 1 && is_ours(c) && c.given != alone.given) c.bars = {bars::f2("one worker", alone.name())};
  }
  p.groups.push_back(std::move(tasks));
}

void add_tasks_that_write(planner& p, std::int64_t reads, std::int64_t workers) {
  const params given{{"parties", 100}, {"reads", reads}, {"workers", workers}};
  const bool barred = reads == 90 && workers == 2;
  group g{barred ? "F3" : "", "read_mostly", {}};
  for (const auto& [contender, kind] :
       {std::pair{"mortise", "fiber"}, {"mortise", "coroutine"}, {"go", "goroutine"}, {"tokio", "task"}})
    g.cells.push_back({"read_mostly", contender, kind, given, read_mostly_effort(p)});
  for (cell& c : g.cells) {
    if (barred && is_ours(c)) c.bars = bars::f3(names_of_peers(g));
  }
  p.groups.push_back(std::move(g));
}

void add_threads_that_write(planner& p, std::int64_t parties, std::int64_t reads) {
  const params given{{"parties", parties}, {"reads", reads}};
  group g{"", "read_mostly", {}};
  for (const char* contender : sharing_threads)
    g.cells.push_back({"read_mostly", contender, "thread", given, read_mostly_effort(p)});
  g.cells.push_back({"read_mostly", "go", "goroutine", given, read_mostly_effort(p)});
  p.groups.push_back(std::move(g));
}

// In turn, all that notify_all wakes find their number due one after the other, where those that were woken run in their order.
// There only threads are what a bar is of.
void add_conditions(planner& p, bool random) {
  group g{"F4", "condition", {}};
  const params effort{{"for_ms", p.for_ms(p.full() ? 150 : 100)}};
  const auto add = [&](const char* contender, const char* kind, std::int64_t workers) {
    params given{{"waiters", 1'000}, {"random", random}};
    if (workers != 0) given.emplace_back("workers", workers);
    g.cells.push_back({"condition", contender, kind, given, effort});
  };
  for (const char* kind : {"fiber", "coroutine"}) add("mortise", kind, 2);
  if (random || p.full()) add("mortise", "thread", 0);
  for (const char* contender : {"absl", "std"}) add(contender, "thread", 0);
  add("boost_fiber", "fiber", 2);
  const std::size_t barred = g.cells.size();
  if (random || p.full()) {
    add("nsync", "thread", 0);
    add("go", "goroutine", 2);
    add("tokio", "task", 2);
  }
  if (p.full()) {
    for (const char* kind : {"fiber", "coroutine"}) add("mortise", kind, 1);
    add("boost_fiber", "fiber", 1);
  }
  std::vector<std::string> notify_all{name_in(g, "std", "thread")};
  if (random) notify_all.push_back(name_in(g, "boost_fiber", "fiber"));
  const std::string absl = name_in(g, "absl", "thread");
  for (std::size_t i = 0; i < barred; ++i) {
    cell& c = g.cells[i];
    if (is_ours(c) && c.kind != "thread")
      c.bars = {bars::f4("absl", {absl}), bars::f4("notify_all", notify_all)};
  }
  p.groups.push_back(std::move(g));
}

void add_storms(planner& p) {
  group g{"F5", "timeout_storm", {}};
  const auto add = [&](const char* contender, const char* kind, std::int64_t parties) {
    g.cells.push_back({"timeout_storm",
                       contender,
                       kind,
                       {{"parties", parties}, {"deadline_ms", 10}},
                       {{"for_ms", p.for_ms(p.full() ? 200 : 100)}}});
  };
  for (const char* kind : {"fiber", "coroutine"}) {
    add("mortise", kind, 10'000);
    g.cells.back().bars = {bars::f5()};
  }
  add("mortise", "thread", 1'000);
  add("std", "thread", 1'000);
  if (p.full()) add("boost_fiber", "fiber", 10'000);  // takes a second to come to its end
  add("tokio", "task", 10'000);
  p.groups.push_back(std::move(g));
}

void add_try_for(planner& p) {
  group g{"F6", "try_for", {}};
  const params effort{{"iterations", p.quick() ? 300'000 : 3'000'000}};
  for (const char* kind : {"thread", "fiber", "coroutine"})
    g.cells.push_back({"try_for", "mortise", kind, {}, effort, {bars::f6()}});
  g.cells.push_back({"try_for", "std", "thread", {}, effort});
  g.cells.push_back({"try_for", "boost_fiber", "fiber", {}, effort});
  g.cells.push_back({"try_for", "tokio", "task", {}, effort});
  p.groups.push_back(std::move(g));
}

}  // namespace

void add_family(planner& p) {
  add_rw_uncontended(p);
  add_read_only(p);
  for (const std::int64_t reads : {99, 90}) {
    for (const std::int64_t workers : {1, 2}) {
      if (p.full() || (reads == 90 && workers == 2)) add_tasks_that_write(p, reads, workers);
    }
    for (const std::int64_t parties : {1, 2, 100}) {
      if (p.full() || (reads == 90 && parties == 100)) add_threads_that_write(p, parties, reads);
    }
  }
  if (p.full()) add_threads_that_write(p, 100, 100);
  for (const bool random : {false, true}) add_conditions(p, random);
  add_storms(p);
  add_try_for(p);
}

}  // namespace app::bench::plan_detail
