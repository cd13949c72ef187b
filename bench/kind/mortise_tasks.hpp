#pragma once

// Our fibers and our coroutines as parties.

#include <chrono>

#include <mortise/lock/mutex.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task.hpp>
#include <mortise/task/task_scope.hpp>

namespace bench {

// `Mutex`: ours, or one that blocks the worker; that is for measuring where nobody waits.
template <class Mutex, bool Awaits = false>
struct mortise_tasks {
  using mutex = Mutex;
  static constexpr bool awaits = Awaits;
  static constexpr bool is_thread = false;
  using coroutine = mortise::task<>;

  // body(i) gives a coroutine if the parties are coroutines.
  template <class Body, class Meanwhile>
  static void run(unsigned parties, unsigned workers, Body body, Meanwhile meanwhile) {
    mortise::runtime_options options;
    options.workers = workers;
    mortise::runtime runtime{options};
    mortise::task_scope scope{runtime};
    for (unsigned i = 0; i < parties; ++i) scope.go([&body, i] { return body(i); });
    meanwhile();
    scope.join();
  }

  // Called from a task; a task that gives a coroutine is one.
  template <class Task>
  static void spawn_and_join(unsigned count, Task task) {
    mortise::task_scope scope;
    for (unsigned i = 0; i < count; ++i) scope.go(task);
    scope.join();
  }

  static void yield() { mortise::yield(); }
  static void sleep_for(std::chrono::nanoseconds d) { mortise::sleep_for(d); }
  static auto async_yield() { return mortise::async_yield(); }
  static auto async_sleep_for(std::chrono::nanoseconds d) { return mortise::async_sleep_for(d); }
};

using mortise_fibers = mortise_tasks<mortise::mutex>;
using mortise_coroutines = mortise_tasks<mortise::mutex, true>;

}  // namespace bench
