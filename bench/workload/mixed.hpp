#pragma once

// Threads, fibers and coroutines on one mutex, a third of the parties each. Ours only: no other mutex takes them all.
//
//     mixed parties:N workers:W held_ns:H gap_ns:G for_ms:T seed:S

#include <thread>

#include <bench/kind/mortise_tasks.hpp>
#include <bench/kind/threads.hpp>
#include <bench/workload/contended.hpp>

namespace bench {

inline void mixed(keys& given, json_line& line) {
  const unsigned parties = given.count("parties", 9, 3, 9'999);
  const unsigned workers = given.count("workers", usable_cores(), 1, 1'024);
  const std::int64_t held_ns = given.number("held_ns", 20, 0, 1'000'000'000);
  const std::int64_t gap_ns = given.number("gap_ns", 200, 0, 1'000'000'000);
  const std::int64_t for_ms = given.number("for_ms", 500, 1, 3'600'000);
  const std::int64_t seed = given.number("seed", 1, 0, 1'000'000'000);
  given.no_others();
  if (parties % 3 != 0) throw usage_error("parties: " + std::to_string(parties) + " is no multiple of 3");

  const stalls machine{for_ms};
  contended_state<mortise::mutex> s{parties, held_ns, gap_ns, seed};
  within_window seen;
  {
    mortise::runtime_options options;
    options.workers = workers;
    mortise::runtime runtime{options};
    mortise::task_scope scope{runtime};
    std::vector<std::thread> os_threads;
    const unsigned third = parties / 3;
    for (unsigned i = 0; i < third; ++i) {
      os_threads.emplace_back([&s, i] { contend<threads<mortise::mutex>>(s, i); });
      scope.go([&s, i, third] { contend<mortise_fibers>(s, third + i); });
      scope.go([&s, i, third] { return contend_awaiting<mortise_coroutines>(s, 2 * third + i); });
    }
    seen = watch(s.time, s.records, for_ms);
    scope.join();
    for (std::thread& t : os_threads) t.join();
  }
  require_sum(s.records, s.counter.value);

  durations waits;
  std::uint64_t by_kind[3] = {};
  for (unsigned i = 0; i < parties; ++i) {
    waits.add(s.records[i].waits);
    by_kind[i / (parties / 3)] += seen.ops[i];
  }
  seen.add_to(line);
  line.add("thread_ops", by_kind[0]).add("fiber_ops", by_kind[1]).add("coroutine_ops", by_kind[2]);
  add_waits(line, waits);
  machine.add_to(line);
}

}  // namespace bench
