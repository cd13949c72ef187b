// The parts of the plan about the mutex.
#include <app/bench/bars.hpp>
#include <app/bench/plan.hpp>

#include <string_view>

namespace app::bench::plan_detail {
namespace {

struct peer {
  const char* contender;
  const char* kind;
};

// Who is on threads, and who on something lighter that a few workers run.
constexpr peer on_threads[] = {{"mortise", "thread"},  {"std", "thread"},  {"absl", "thread"},
                               {"nsync", "thread"},    {"tbb", "thread"},  {"parking_lot", "thread"},
                               {"rust-std", "thread"}, {"go", "goroutine"}};
constexpr peer on_workers[] = {{"mortise", "fiber"},
                               {"mortise", "coroutine"},
                               {"boost_fiber", "fiber"},
                               {"go", "goroutine"},
                               {"tokio", "task"}};

template <std::size_t N>
group with(const peer (&peers)[N], const std::string& id, const std::string& workload, const params& given,
           const params& effort) {
  group made{id, workload, {}};
  for (const peer& p : peers) made.cells.push_back({workload, p.contender, p.kind, given, effort});
  return made;
}

const cell* find(const group& g, std::string_view contender) {
  for (const cell& c : g.cells) {
    if (c.contender == contender) return &c;
  }
  return nullptr;
}

struct lengths {
  std::int64_t held_ns, gap_ns;
};

bool is_corner(std::int64_t parties, const lengths& l) {
  struct corner {
    std::int64_t parties, held_ns, gap_ns;
  };
  static constexpr corner corners[] = {{2, 0, 0},   {2, 20, 200}, {8, 0, 0},     {8, 20, 200},
                                       {8, 200, 0}, {100, 0, 0},  {100, 20, 200}};
  for (const corner& c : corners) {
    if (c.parties == parties && c.held_ns == l.held_ns && c.gap_ns == l.gap_ns) return true;
  }
  return false;
}

std::vector<lengths> all_lengths() {
  std::vector<lengths> all;
  for (const std::int64_t held : {0, 20, 200, 2000}) {
    for (const std::int64_t gap : {0, 200, 2000}) all.push_back({held, gap});
  }
  return all;
}

// A crowd needs longer for all to have had a turn; with all cells there is time for the corners only.
params effort(const planner& p, std::int64_t parties, const lengths& l) {
  const bool crowd = parties == 100 && is_corner(parties, l);
  return {{"for_ms", p.for_ms(crowd ? 400 : 150)}};
}

void threads_contend(planner& p, std::int64_t parties, const lengths& l) {
  const params given{{"parties", parties}, {"held_ns", l.held_ns}, {"gap_ns", l.gap_ns}};
  group g = with(on_threads, "P6a", "contended", given, effort(p, parties, l));
  const std::string std = find(g, "std")->name();
  g.cells.front().bars.push_back(bars::p6a_ops(std));
  if (parties >= 8) g.cells.front().bars.push_back(bars::p6a_wait(std));
  p.groups.push_back(std::move(g));
}

// Ours on one worker too: what a second one is worth on one contended mutex.
void tasks_contend(planner& p, std::int64_t parties, const lengths& l) {
  const params at{{"parties", parties}, {"held_ns", l.held_ns}, {"gap_ns", l.gap_ns}};
  const auto on = [&at](std::int64_t workers) {
    params given = at;
    given.emplace_back("workers", workers);
    return given;
  };
  const bool p6b = parties == 100 && l.held_ns == 0 && l.gap_ns == 0;
  group g = with(on_workers, p6b ? "P6b" : "P7", "contended", on(2), effort(p, parties, l));
  for (const std::size_t ours : {0u, 1u}) {
    cell alone = g.cells[ours];
    alone.given = on(1);
    g.cells[ours].bars.push_back(bars::p7(alone.name(), l.gap_ns < l.held_ns));
    g.cells.push_back(std::move(alone));
  }
  if (p6b) {
    for (bar& b : bars::p6b()) g.cells.front().bars.push_back(std::move(b));
  }
  p.groups.push_back(std::move(g));
}

}  // namespace

void add_uncontended(planner& p) {
  group g{"P5", "uncontended", {}};
  const params effort{{"iterations", p.quick() ? 300'000 : 3'000'000}};
  const auto add = [&](const char* contender, const char* kind) -> cell& {
    return g.cells.emplace_back(cell{"uncontended", contender, kind, {}, effort});
  };
  for (const char* kind : {"thread", "fiber", "coroutine"}) add("mortise", kind);
  for (const char* contender : {"std", "control"}) {
    for (const char* kind : {"thread", "fiber"}) {
      const std::string name = add(contender, kind).name();
      // A coroutine has no bar of its own.
      if (contender == std::string_view{"std"})
        g.cells[kind == std::string_view{"thread"} ? 0 : 1].bars.push_back(bars::p5(name));
    }
  }
  for (const char* contender : {"absl", "nsync", "tbb", "parking_lot", "rust-std"}) add(contender, "thread");
  add("boost_fiber", "fiber");
  add("go", "goroutine");
  add("tokio", "task");
  p.groups.push_back(std::move(g));
}

void add_contended(planner& p) {
  for (const std::int64_t parties : {1, 2, 4, 8, 16, 100}) {
    for (const lengths& l : all_lengths()) {
      const bool corner = is_corner(parties, l);
      if (p.full() || (corner && (!p.quick() || parties == 8))) threads_contend(p, parties, l);
    }
  }
  for (const std::int64_t parties : {1, 2, 4, 8, 16, 100}) {
    for (const lengths& l : all_lengths()) {
      const bool corner = is_corner(parties, l);
      const bool few = corner && parties == 100;
      if (p.full() || few || (corner && parties == 8 && !p.quick())) tasks_contend(p, parties, l);
    }
  }
}

void add_crowds(planner& p) {
  const params effort{{"for_ms", p.for_ms(60)}};
  const std::vector<std::int64_t> sizes =
      p.quick() ? std::vector<std::int64_t>{9} : std::vector<std::int64_t>{9, 99};
  for (const std::int64_t parties : sizes) {
    const params given{{"parties", parties}, {"held_ns", 20}, {"gap_ns", 200}, {"workers", 2}};
    p.groups.push_back({"", "mixed", {{"mixed", "mortise", "mixed", given, effort}}});
  }
  for (const std::int64_t parties : {8, 100}) {
    if (p.quick() && parties != 8) continue;
    p.groups.push_back(with(on_threads, "", "burst", {{"parties", parties}, {"held_ns", 20}}, effort));
    p.groups.push_back(
        with(on_workers, "", "burst", {{"parties", parties}, {"held_ns", 20}, {"workers", 2}}, effort));
  }
  const params hog{{"parties", 8}, {"hog_ns", 500'000}, {"held_ns", 20}, {"gap_ns", 200}};
  p.groups.push_back(with(on_threads, "", "hog", hog, effort));
  params hog_on_workers = hog;
  hog_on_workers.emplace_back("workers", 2);
  p.groups.push_back(with(on_workers, "", "hog", hog_on_workers, effort));
}

}  // namespace app::bench::plan_detail
