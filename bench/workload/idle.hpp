#pragma once

// What a process costs whose tasks all sleep for an hour, half of them fibers, half coroutines.
//
//     idle tasks:N for_ms:T      CPU time used while nothing happened

#include <stop_token>

#include <mortise/task/runtime.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task.hpp>
#include <mortise/task/task_scope.hpp>

#include <bench/harness/json_line.hpp>
#include <bench/harness/keys.hpp>
#include <bench/harness/process.hpp>
#include <bench/workload/parties.hpp>

namespace bench {

inline void idle(keys& given, json_line& line) {
  using std::chrono::hours;
  const unsigned tasks = given.count("tasks", 1'000, 1, 10'000'000);
  const std::int64_t for_ms = given.number("for_ms", 5'000, 1, 3'600'000);
  given.no_others();
  mortise::runtime runtime;
  std::atomic<unsigned> stopped{0};
  std::atomic<unsigned> woken{0};
  mortise::task_scope scope{runtime};
  for (unsigned i = 0; i < tasks; ++i) {
    if (i % 2 == 0) {
      scope.go([&](std::stop_token stop) { ++(mortise::sleep_for(hours(1), stop) ? woken : stopped); });
    } else {
      scope.go([&](std::stop_token stop) -> mortise::task<> {
        const bool slept = co_await mortise::async_sleep_for(hours(1), stop);
        ++(slept ? woken : stopped);
      });
    }
  }
  settle();

  const std::int64_t cpu_before = cpu_ns();
  const auto begin = steady::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(for_ms));
  const std::int64_t duration = since(begin);
  const std::int64_t cpu = cpu_ns() - cpu_before;

  scope.stop_and_join();
  if (stopped != tasks || woken != 0)
    throw std::runtime_error("not every task was asleep until it was stopped");
  line.add("cpu_ns", cpu).add("duration_ns", duration);
}

}  // namespace bench
