#pragma once

// What it takes to go on with another party, and to start and join one.
//
//     switch kind:K parties:N for_ms:T               ns from one yield to the next party's, on one worker
//     spawn kind:K batch:N workers:W for_ms:T        ns for go and join, in batches, from within a party
//
// Threads are all put on one core for `switch`: a yield with nobody else there to run is none.

#include <sched.h>

#include <bench/harness/keys.hpp>
#include <bench/workload/parties.hpp>

namespace bench {

struct switch_state {
  explicit switch_state(unsigned parties) : records(parties) {}
  window time;
  std::vector<party_record> records;
};

template <class Kind>
void switch_party(switch_state& s, unsigned me) {
  s.time.arrived.fetch_add(1, std::memory_order_release);
  while (!s.time.is_closed()) {
    Kind::yield();
    s.records[me].done();
  }
}

template <class Kind>
typename Kind::coroutine switch_party_awaiting(switch_state& s, unsigned me) {
  s.time.arrived.fetch_add(1, std::memory_order_release);
  while (!s.time.is_closed()) {
    co_await Kind::async_yield();
    s.records[me].done();
  }
}

inline void stay_on_one_core() {
  const int here = sched_getcpu();
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (here >= 0) CPU_SET(here, &mask);
  if (here < 0 || sched_setaffinity(0, sizeof mask, &mask) != 0)
    throw std::runtime_error("the threads cannot be put on one core");
}

template <class Kind>
void switching(keys& given, json_line& line) {
  const unsigned parties = given.count("parties", 2, 2, 10'000);
  const std::int64_t for_ms = given.number("for_ms", 300, 1, 3'600'000);
  given.no_others();
  if constexpr (Kind::is_thread) stay_on_one_core();
  switch_state s{parties};
  within_window seen;
  Kind::run(
      parties, 1,
      [&s](unsigned me) {
        if constexpr (Kind::awaits) {
          return switch_party_awaiting<Kind>(s, me);
        } else {
          switch_party<Kind>(s, me);
        }
      },
      [&] { seen = watch(s.time, s.records, for_ms); });
  if (seen.sum == 0) throw std::runtime_error("nobody had a turn in the time");
  line.add("ns", static_cast<double>(seen.duration_ns) / static_cast<double>(seen.sum))
      .add("ops", seen.sum)
      .add("share", seen.share())
      .add("duration_ns", seen.duration_ns)
      .add("cpu_ns", seen.cpu_ns);
}

// `Task`: what a party is started with; it adds one to the counter.
template <class Spawner, class Task>
void spawning(keys& given, json_line& line) {
  const unsigned batch = given.count("batch", 1'000, 1, 1'000'000);
  const unsigned workers = given.count("workers", 1, 1, 1'024);
  const std::int64_t for_ms = given.number("for_ms", 300, 1, 3'600'000);
  given.no_others();
  std::atomic<std::uint64_t> ran{0};
  std::vector<double> ns;
  std::uint64_t batches = 0;
  std::int64_t cpu = -cpu_ns();
  Spawner::run(
      1, workers,
      [&](unsigned) {
        const auto begin = steady::now();
        do {
          const auto start = steady::now();
          Spawner::spawn_and_join(batch, Task{&ran});
          if (batches++ != 0) ns.push_back(static_cast<double>(since(start)) / batch);
        } while (since(begin) < for_ms * 1'000'000 || ns.empty());
      },
      [] {});
  cpu += cpu_ns();
  if (ran != batches * batch) throw std::runtime_error("not every task ran once");
  std::nth_element(ns.begin(), ns.begin() + static_cast<std::ptrdiff_t>(ns.size() / 2), ns.end());
  line.add("ns", ns[ns.size() / 2]).add("ops", batches * batch).add("cpu_ns", cpu);
}

// A task of spawn that is a plain closure.
struct counting_task {
  std::atomic<std::uint64_t>* ran;
  void operator()() const { ran->fetch_add(1, std::memory_order_relaxed); }
};

}  // namespace bench
