#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stop_token>
#include <thread>
#include <vector>

#include <app/run/process_tasks.hpp>
#include <app/run/supervisor.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/task_scope.hpp>

// What one process among several does: its share of the tasks. Whatever has threads begins here, after the fork.
namespace app {

// The tasks that are a process's: every n-th, so that each has its part of readers and of writers.
template <class Run>
void for_each_task_of(unsigned process, const run_options& o, Run&& run) {
  for (std::uint64_t party = process; party < o.parties(); party += o.processes) run(party);
}

// A task cannot be had: says so where the parent finds it. There may be no memory for words, and those that run do not end before
// the parent says so, so nothing is cleared away here.
template <class Value, class Start>
void start_all_tasks(const process_share<Value>& s, Start&& start) {
  for_each_task_of(s.process, s.options, [&](std::uint64_t party) {
    try {
      start(party);
    } catch (const std::exception& e) {
      auto& why = s.shared.why[s.process];
      std::snprintf(why.data(), why.size(), "task %llu of %llu cannot be started: %s", party + 1ULL,
                    s.options.parties() + 0ULL, e.what());
      ::_exit(ended_by_exception);
    }
  });
}

inline void arrive(board& b, unsigned process, std::uint32_t as) noexcept {
  b.of[process].arrived.store(as, mortise::memory_order_release);  // <-> the parent's load: it is all there
}

// Until the run is over.
template <class Value>
void await_the_end(process_share<Value>& s) {
  if (!s.tell) return static_cast<void>(s.shared.stop.wait_until(mortise::never));
  while (!s.shared.stop.wait_until(mortise::deadline_after(std::chrono::milliseconds(200)))) s.tell();
}

template <class Value>
void run_in_runtime(process_share<Value>& s) {
  mortise::runtime rt{
      {.workers = s.options.workers == 0 ? 1 : s.options.workers, .stack_size = 16384, .name = "mortise"}};
  mortise::task_scope tasks{rt};
  s.stop_long_sleeps = tasks.get_stop_token();
  start_all_tasks(s, [&](std::uint64_t party) {
    if (s.options.tasks == task_kind::fiber) {
      tasks.go([&s, party](std::stop_token stop) { process_task(s, party, stop); });
    } else {
      tasks.go([&s, party] { return async_process_task(s, party); });
    }
  });
  arrive(s.shared, s.process, 2);
  await_the_end(s);
  tasks.stop_and_join();
}

template <class Value>
void run_in_threads(process_share<Value>& s) {
  std::vector<std::jthread> threads;
  start_all_tasks(s, [&](std::uint64_t party) {
    threads.emplace_back([&s, party](std::stop_token stop) { process_task(s, party, stop); });
  });
  arrive(s.shared, s.process, 2);
  await_the_end(s);
  for (std::jthread& t : threads) t.request_stop();
}

// Returns when the run is over.
template <class Value>
void run_share(process_share<Value> s) {
  // It joins those who share the value before the clock runs.
  s.value.update([](auto&, const mortise::shm::tenure&) { return true; });
  arrive(s.shared, s.process, 1);
  s.shared.go.wait_until(mortise::never);
  if (s.options.tasks == task_kind::process) {
    arrive(s.shared, s.process, 2);
    process_task(s, s.process, {});
  } else if (s.options.tasks == task_kind::thread) {
    run_in_threads(s);
  } else {
    run_in_runtime(s);
  }
  if (s.tell) s.tell();
}

}  // namespace app
