// What the explorer leaves out makes no difference: little random programs have the same outcomes with its reduction as without, and on
// x86 those of a machine that is written here anew (Owens, Sarkar, Sewell: A better x86 memory model: x86-TSO, 2009). The bug: a
// schedule, or an effect of memory, that is lost. An outcome is all values read, and what memory holds in the end.
#include <cstdlib>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <explore/settings.hpp>
#include <explore/verify.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/futex.hpp>
#include <mortise/base/membarrier.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/base/spin.hpp>

namespace {

using explore::memory_model;
using explore::scoped_thread;

enum class kind : unsigned char {
  load,
  store,
  add,
  cas,
  fence,  // what the machine below knows as well
  pass,
  try_pass,
  give_way,
  wait,
  wake,
  sleep,
  barrier,  // lock and unlock; the same with a try; ...
  read_plain,
  write_plain,
};
struct op {
  kind what;
  int where = 0;
  int value = 0;
  std::memory_order order = std::memory_order_seq_cst;
};
using party = std::vector<op>;
using program = std::vector<party>;
using outcome = std::vector<int>;

constexpr int places = 3;
constexpr int most_read = 5;

std::string written(const program& p) {
  static constexpr const char* const words[] = {"load",  "store",      "add",   "cas",  "fence",
                                                "pass",  "try",        "yield", "wait", "wake",
                                                "sleep", "membarrier", "read",  "write"};
  std::string text;
  for (const party& t : p) {
    text += text.empty() ? "" : " || ";
    for (const op& o : t)
      text += std::string(words[static_cast<int>(o.what)]) + ' ' + "xyz"[o.where] + ' ' +
              std::to_string(o.value) + '/' + std::to_string(static_cast<int>(o.order)) + "; ";
  }
  return text;
}

// The program as a scenario. Static: a scenario is a function.
program running;
std::set<outcome> ends;

struct memory_of_program {
  mortise::atomic<std::uint32_t> at[places];
  mortise::plain<int> data[places];
  mortise::os_mutex lock;
};

void run_party(memory_of_program& m, const party& ops, int* read) {
  for (const op& o : ops) {
    mortise::atomic<std::uint32_t>& x = m.at[o.where];
    const auto v = static_cast<std::uint32_t>(o.value);
    const auto of_load = o.order == std::memory_order_release ? std::memory_order_acquire : o.order;
    int r = 0;
    switch (o.what) {
      case kind::load: r = static_cast<int>(x.load(of_load)); break;
      case kind::store: x.store(v, o.order); break;
      case kind::add: r = static_cast<int>(x.fetch_add(v, o.order)); break;
      case kind::cas: {
        std::uint32_t expected = v - 1;
        x.compare_exchange_strong(expected, v, o.order, of_load);
        r = static_cast<int>(expected);
        break;
      }
      case kind::fence: explore::memory::instance().fence_seq_cst(); break;
      case kind::pass: m.lock.lock(), m.lock.unlock(); break;
      case kind::try_pass:
        if ((r = static_cast<int>(m.lock.try_lock())) != 0) m.lock.unlock();
        break;
      case kind::give_way: mortise::yield_this_thread(); break;
      case kind::wait:
        mortise::futex_wait(x, v - 1, mortise::now_ns() + 1000);
        r = static_cast<int>(explore::engine::instance().current().timed_out);
        break;
      case kind::wake: mortise::futex_wake(x, 1); break;
      case kind::sleep: mortise::sleep_this_thread_until(1'000'000'500); break;
      case kind::barrier: mortise::membarrier(); break;
      case kind::read_plain: static_cast<void>(m.data[o.where].get()); break;
      case kind::write_plain: m.data[o.where] = o.value; break;
    }
    *read++ = r;
  }
}

void scenario() {
  outcome* seen = nullptr;
  {
    const explore::inside here;
    seen = new outcome(running.size() * most_read + places);
  }
  {
    memory_of_program m{};
    {
      std::optional<scoped_thread> others[3];
      for (std::size_t i = 1; i < running.size(); ++i)
        others[i].emplace("other", [&m, seen, i] { run_party(m, running[i], seen->data() + i * most_read); });
      run_party(m, running[0], seen->data());
    }
    for (int i = 0; i < places; ++i)
      (*seen)[running.size() * most_read + static_cast<std::size_t>(i)] = static_cast<int>(m.at[i].load());
  }
  const explore::inside here;
  ends.insert(*seen);
  delete seen;
}

struct found {
  std::set<outcome> outcomes;
  std::string fault;
};
found explored(const program& p, memory_model m, explore::bounds b, bool reduced) {
  running = p;
  ends.clear();
  explore::settings().reduction = reduced;
  std::string fault = explore::all_schedules(&scenario, b, m);
  explore::settings().reduction = true;
  return {ends, fault};
}

std::string difference(const std::set<outcome>& lost_of, const std::set<outcome>& in) {
  std::string text;
  for (const outcome& o : lost_of) {
    if (in.contains(o)) continue;
    for (const int v : o) text += std::to_string(v) + ' ';
    text += '\n';
  }
  return text;
}

// x86-TSO, anew: all interleavings of single steps, of which one is that the oldest store of a buffer reaches memory.
struct machine {
  std::vector<std::size_t> next;
  std::vector<std::vector<std::pair<int, int>>> buffers;
  std::vector<int> memory;
  outcome read;
  auto operator<=>(const machine&) const = default;
};
void run(const program& p, const machine& s, std::set<machine>& been, std::set<outcome>& all) {
  if (!been.insert(s).second) return;
  bool ended = true;
  for (std::size_t t = 0; t < p.size(); ++t) {
    if (!s.buffers[t].empty()) {
      ended = false;
      machine n = s;
      n.memory[static_cast<std::size_t>(n.buffers[t].front().first)] = n.buffers[t].front().second;
      n.buffers[t].erase(n.buffers[t].begin());
      run(p, n, been, all);
    }
    if (s.next[t] == p[t].size()) continue;
    ended = false;
    const op& o = p[t][s.next[t]];
    const bool stores_late = o.what == kind::store && o.order != std::memory_order_seq_cst;
    if (o.what != kind::load && !stores_late && !s.buffers[t].empty()) continue;
    machine n = s;
    int& x = n.memory[static_cast<std::size_t>(o.where)];
    int r = 0;
    switch (o.what) {
      case kind::load:
        r = x;
        for (const auto& [where, value] : s.buffers[t]) {
          if (where == o.where) r = value;
        }
        break;
      case kind::store:
        if (stores_late)
          n.buffers[t].emplace_back(o.where, o.value);
        else
          x = o.value;
        break;
      case kind::add:
        r = x;
        x += o.value;
        break;
      case kind::cas:
        r = x;
        if (x == o.value - 1) x = o.value;
        break;
      default: break;
    }
    n.read[t * most_read + n.next[t]++] = r;
    run(p, n, been, all);
  }
  if (!ended) return;
  outcome o = s.read;
  o.insert(o.end(), s.memory.begin(), s.memory.end());
  all.insert(o);
}
std::set<outcome> of_the_machine(const program& p) {
  machine s;
  s.next.resize(p.size());
  s.buffers.resize(p.size());
  s.memory.resize(places);
  s.read.resize(p.size() * most_read);
  std::set<machine> been;
  std::set<outcome> all;
  run(p, s, been, all);
  return all;
}

class dice {
 public:
  explicit dice(unsigned seed) : m_random{seed} {}
  int below(int n) { return static_cast<int>(m_random() % static_cast<unsigned>(n)); }
  std::memory_order order() {
    static constexpr std::memory_order all[] = {std::memory_order_relaxed, std::memory_order_release,
                                                std::memory_order_relaxed, std::memory_order_seq_cst};
    return all[below(4)];
  }
  program make(int parties, int ops, int over, const std::vector<kind>& kinds) {
    program p(static_cast<std::size_t>(parties));
    for (party& t : p) {
      const int n = 1 + below(ops);
      for (int i = 0; i < n; ++i)
        t.push_back({kinds[static_cast<std::size_t>(below(static_cast<int>(kinds.size())))], below(over),
                     1 + below(2), order()});
    }
    return p;
  }

 private:
  std::mt19937 m_random;
};

int how_many(int normally) {
  const char* const v = std::getenv("MORTISE_MODEL_PROGRAMS");
  return v == nullptr ? normally : std::atoi(v);
}

void expect_the_same(const std::vector<kind>& kinds, int parties, int ops, int programs, explore::bounds b,
                     unsigned seed) {
  dice d{seed};
  for (int i = 0; i < how_many(programs) && !testing::Test::HasFailure(); ++i) {
    const program p = d.make(parties, ops, 1 + d.below(3), kinds);
    for (const memory_model m : {memory_model::tso, memory_model::weak}) {
      const found with = explored(p, m, b, true), without = explored(p, m, b, false);
      const char* const name = m == memory_model::tso ? "tso: " : "weak: ";
      EXPECT_EQ(with.fault.empty(), without.fault.empty())
          << name << written(p) << with.fault << without.fault;
      if (!with.fault.empty()) continue;
      EXPECT_EQ(difference(without.outcomes, with.outcomes), "") << "lost in " << name << written(p);
      EXPECT_EQ(difference(with.outcomes, without.outcomes), "") << "invented in " << name << written(p);
    }
  }
}

const std::vector<kind> on_memory{kind::load, kind::load, kind::store, kind::store,
                                  kind::add,  kind::cas,  kind::fence};

void expect_the_machine(int parties, int ops, int programs, unsigned seed) {
  dice d{seed};
  for (int i = 0; i < how_many(programs) && !testing::Test::HasFailure(); ++i) {
    const program p = d.make(parties, ops, 1 + d.below(3), on_memory);
    const found f = explored(p, memory_model::tso, {.preemptions = 7, .deviations = 7}, true);
    const std::set<outcome> must = of_the_machine(p);
    EXPECT_EQ(f.fault, "") << written(p);
    EXPECT_EQ(difference(must, f.outcomes), "") << "lost: " << written(p);
    EXPECT_EQ(difference(f.outcomes, must), "") << "invented: " << written(p);
  }
}
TEST(reduction, x86_is_that_of_another_machine_for_two) { expect_the_machine(2, 4, 1000, 1); }
TEST(reduction, x86_is_that_of_another_machine_for_three) { expect_the_machine(3, 3, 300, 2); }
TEST(reduction, loses_nothing_of_memory) {
  expect_the_same(on_memory, 2, 4, 600, {.preemptions = 2, .deviations = 2}, 3);
}
TEST(reduction, loses_nothing_of_three) {
  expect_the_same(on_memory, 3, 2, 400, {.preemptions = 2, .deviations = 1}, 4);
}
TEST(reduction, loses_nothing_of_locks) {
  expect_the_same({kind::load, kind::store, kind::pass, kind::try_pass, kind::add}, 3, 2, 400,
                  {.preemptions = 2, .deviations = 1}, 5);
}
TEST(reduction, loses_nothing_of_sleeps) {
  expect_the_same({kind::load, kind::store, kind::wait, kind::wake, kind::add, kind::sleep}, 3, 2, 400,
                  {.preemptions = 1, .deviations = 2}, 6);
}
TEST(reduction, loses_nothing_of_who_gives_way) {
  expect_the_same({kind::load, kind::store, kind::give_way, kind::barrier}, 3, 2, 400,
                  {.preemptions = 2, .deviations = 1}, 7);
}
TEST(reduction, loses_no_race) {
  expect_the_same({kind::load, kind::store, kind::read_plain, kind::write_plain, kind::pass}, 2, 4, 600,
                  {.preemptions = 2, .deviations = 1}, 8);
}

}  // namespace
