// What a process costs whose tasks all sleep for an hour, half of them fibers, half coroutines.
//
//     idle [tasks [seconds]]      one JSON line with the CPU time used while nothing happened

#include <atomic>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

#include <mortise/task/runtime.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task.hpp>
#include <mortise/task/task_scope.hpp>

#include "arguments.hpp"
#include "harness/json_line.hpp"
#include "harness/process.hpp"

namespace {

using namespace std::chrono_literals;

int measure(int tasks, int seconds) {
  mortise::runtime runtime;
  std::atomic<int> stopped{0};
  std::atomic<int> woken{0};
  mortise::task_scope scope{runtime};
  for (int i = 0; i < tasks; ++i) {
    if (i % 2 == 0) {
      scope.go([&](std::stop_token stop) { ++(mortise::sleep_for(1h, stop) ? woken : stopped); });
    } else {
      scope.go([&](std::stop_token stop) -> mortise::task<> {
        const bool slept = co_await mortise::async_sleep_for(1h, stop);
        ++(slept ? woken : stopped);
      });
    }
  }
  bench::settle();

  const std::int64_t cpu_before = bench::cpu_ns();
  const auto begin = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  const auto duration = std::chrono::steady_clock::now() - begin;
  const std::int64_t cpu = bench::cpu_ns() - cpu_before;

  scope.stop_and_join();
  if (stopped != tasks || woken != 0)
    throw std::runtime_error("not every task was asleep until it was stopped");
  bench::json_line{"idle/mortise/kind:mixed/tasks:" + std::to_string(tasks)}
      .add("tasks", tasks)
      .add("workers", runtime.workers())
      .add("cpu_ns", cpu)
      .add("duration_ns", duration / 1ns)
      .print();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int tasks = bench::number(argc, argv, 1, "tasks", 1'000, 1, 10'000'000);
  const int seconds = bench::number(argc, argv, 2, "seconds", 5, 1, 3'600);
  return bench::guarded_main([&] { return measure(tasks, seconds); });
}
