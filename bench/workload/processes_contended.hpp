#pragma once

// One lock that all parties of several processes want: lock, count, hold for a while, unlock, do something else for a while.
//
//     processes_contended kind:K processes:P parties:N workers:W held_ns:H gap_ns:G yields:Y for_ms:T seed:S
//
// Each process has N parties, and W workers if they are tasks. `share` is the processes': what the one that got least got, of
// what the one with most got. Of parties that are more than one, away_max_ns is the longest that a whole process, with all of
// its parties waiting, had to wait; a wait is one party's, of all where sections last for a microsecond, else of one in 16.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <bench/harness/forked.hpp>
#include <bench/harness/json_line.hpp>
#include <bench/harness/keys.hpp>
#include <bench/harness/shared_memory.hpp>
#include <bench/harness/spin.hpp>
#include <bench/harness/stall.hpp>
#include <bench/workload/parties.hpp>

namespace bench {

namespace processes_contended_detail {

constexpr unsigned most_processes = 16;
constexpr std::int64_t longest_wait = 10'000'000'000;

// What the lock guards.
struct guarded {
  std::uint64_t value = 0;
  std::uint64_t changes = 0;  // of the process that has it
  unsigned last = most_processes;
  std::array<std::int64_t, most_processes> left_ns{};  // when a process lost it to another one
};

// Durations in memory that processes share.
struct left_behind {
  std::array<std::uint64_t, 2'048> counts{};
  std::uint64_t longest = 0;

  void keep(const durations& from) {
    from.for_each([this](std::uint64_t ns, std::uint64_t count) {
      counts[std::min<std::size_t>(durations::bucket_of(ns), counts.size() - 1)] += count;
    });
    longest = from.longest();
  }
  void add_to(durations& sum) const {
    for (unsigned b = 0; b < counts.size(); ++b) {
      if (counts[b] != 0)
        sum.record(static_cast<std::int64_t>(std::min(durations::top_of(b), longest)), counts[b]);
    }
  }
};

// One process: counted under the lock, and read by others in the middle of the run; the rest once it has ended.
struct alignas(128) process_record {
  std::atomic<std::uint64_t> ops{0};
  alignas(128) std::uint64_t counted = 0;  // by its parties, each for itself
  std::uint64_t least = 0, most = 0;       // of one of them
  left_behind waits, aways;
};

struct state {
  window time;
  std::atomic<std::int64_t> opened_ns{0};
  std::array<process_record, most_processes> processes;
};

struct options {
  unsigned processes, parties, workers;
  bool all_timed, yields;
  spin held, gap;
  std::uint64_t seed;
};

inline std::int64_t now_ns() { return steady::now().time_since_epoch() / std::chrono::nanoseconds(1); }

// What the parties of one process have in common, but for their counts guarded by the lock.
struct own_process {
  const unsigned me;
  process_record& record;
  durations waits, aways;

  struct alignas(128) count {
    std::uint64_t ops = 0;
  };
  std::vector<count> parties;
};

// With the lock held: how long had this process nothing of it?
inline void come_back(own_process& own, guarded& g, const state& s) {
  if (g.last == own.me) return;
  const std::int64_t now = now_ns();
  std::int64_t left = g.left_ns[own.me];
  if (left == 0) left = s.opened_ns.load(std::memory_order_relaxed);  // relaxed: set before the window opened
  own.aways.record(now - left);
  if (g.last != most_processes) g.left_ns[g.last] = now;
  g.last = own.me;
  ++g.changes;
}

template <class Kind, class Handle>
void contend(const options& o, state& s, Handle& lock, own_process& own, unsigned party) {
  sampler samples{o.seed + own.me * o.parties + party};
  std::uint64_t ops = 0;
  s.time.arrived.fetch_add(1, std::memory_order_release);
  while (!s.time.is_open()) Kind::yield();
  while (!s.time.is_closed()) {
    const bool timed = o.all_timed || samples.due();
    const std::int64_t asked = timed ? now_ns() : 0;
    lock.lock();
    if (timed) own.waits.record(now_ns() - asked);
    guarded& g = lock.guarded();
    if (o.parties > 1) come_back(own, g, s);
    ++g.value;
    // Relaxed: one writer at a time, that which holds the lock.
    own.record.ops.store(own.record.ops.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    o.held();
    lock.unlock();
    ++ops;
    o.gap();
    if (o.yields) Kind::yield();
  }
  own.parties[party].ops = ops;
}

template <class Kind, class Lock>
void work(const options& o, state& s, Lock& shared, unsigned me) {
  own_process own{me, s.processes[me], {}, {}, std::vector<own_process::count>(o.parties)};
  own.waits.make_room(longest_wait);
  own.aways.make_room(longest_wait);
  typename Lock::handle lock{shared};
  Kind::run(o.parties, o.workers, [&](unsigned party) { contend<Kind>(o, s, lock, own, party); }, [] {});
  own.record.waits.keep(own.waits);
  own.record.aways.keep(own.aways);
  own.record.least = own.parties.front().ops;
  for (const own_process::count& each : own.parties) {
    own.record.counted += each.ops;
    own.record.least = std::min(own.record.least, each.ops);
    own.record.most = std::max(own.record.most, each.ops);
  }
}

struct results {
  std::uint64_t counted = 0, in_section = 0, least = ~std::uint64_t{0}, most = 0;
  durations waits, aways;

  void add(const process_record& each) {
    counted += each.counted;
    in_section += each.ops.load(std::memory_order_relaxed);  // relaxed: it has ended
    least = std::min(least, each.least);
    most = std::max(most, each.most);
    each.waits.add_to(waits);
    each.aways.add_to(aways);
  }
};

}  // namespace processes_contended_detail

template <class Kind, template <class> class Lock>
void processes_contended(keys& given, json_line& line) {
  using namespace processes_contended_detail;
  const unsigned processes = given.count("processes", 4, 1, most_processes);
  const unsigned parties = given.count("parties", 1, 1, 10'000);
  const unsigned workers = given.count("workers", usable_cores(), 1, 1'024);
  const std::int64_t held_ns = given.number("held_ns", 0, 0, 1'000'000'000);
  const std::int64_t gap_ns = given.number("gap_ns", 0, 0, 1'000'000'000);
  const bool yields = given.number("yields", 0, 0, 1) != 0;
  const std::int64_t for_ms = given.number("for_ms", 500, 1, 3'600'000);
  const std::int64_t seed = given.number("seed", 1, 0, 1'000'000'000);
  given.no_others();

  const stalls machine{for_ms};
  const options o{processes, parties,       workers,      held_ns >= 1'000,
                  yields,    spin{held_ns}, spin{gap_ns}, static_cast<std::uint64_t>(seed)};
  shared_memory<state> s;
  Lock<guarded> lock;
  crew all{processes, [&](unsigned me) { work<Kind>(o, *s, lock, me); }};
  while (s->time.arrived.load(std::memory_order_acquire) != processes * parties) {
    all.require_sound();
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  s->opened_ns.store(now_ns(), std::memory_order_relaxed);  // published by the window's opening
  struct {
    const state& of;
    std::size_t count;
    std::size_t size() const { return count; }
    const process_record& operator[](std::size_t i) const { return of.processes[i]; }
  } records{*s, processes};
  const within_window seen = watch_open(s->time, records, [&] { return all.cpu_ns(); }, for_ms);
  all.join();

  results r;
  for (unsigned i = 0; i < processes; ++i) r.add(s->processes[i]);
  const std::uint64_t value = typename Lock<guarded>::handle{lock}.guarded().value;
  if (r.counted != value || r.in_section != value)
    throw std::runtime_error("the counter holds " + std::to_string(value) + " of " +
                             std::to_string(r.counted) + " increments");
  seen.add_to(line);
  add_waits(line, r.waits);
  if (parties > 1) {
    line.add("party_share", r.most == 0 ? 0 : static_cast<double>(r.least) / static_cast<double>(r.most))
        .add("away_p50_ns", r.aways.quantile(0.5))
        .add("away_p99_ns", r.aways.quantile(0.99))
        .add("away_max_ns", r.aways.longest())
        .add("changes", r.aways.total());
  }
  machine.add_to(line);
}

}  // namespace bench
