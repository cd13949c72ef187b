// The runtime under every schedule: its inbox, idle workers, parking, scopes, timers and stealing, all of it the real code.
// Each opens with the bug that it would show; a lost wake leaves a model with nobody who can go on.
#include <mortise/task/runtime.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <stop_token>

#include <explore/verify.hpp>
#include <mortise/task/counter.hpp>
#include <mortise/task/go.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task_scope.hpp>
#include <mortise/wait/context.hpp>

namespace {

using namespace std::chrono_literals;
using explore::require;
using explore::scoped_thread;
namespace wait = mortise::wait;

mortise::runtime_options with_workers(unsigned n) {
  return {.workers = n, .stack_size = 16384, .precise_sleep = false};
}

// A worker that goes to sleep while the runtime ends: found here, it overwrote the wake that said so.
EXPLORE(runtime, ends_while_its_worker_goes_idle, {.preemptions = 1, .deviations = 3}) {
  mortise::runtime rt{with_workers(1)};
  mortise::task_scope tasks{rt};
  tasks.go([] {});
}

// A task that is sent while the worker goes idle (R1).
EXPLORE(runtime, a_task_sent_while_the_worker_goes_idle_runs, {.deviations = 1}) {
  int ran = 0;
  {
    mortise::runtime rt{with_workers(1)};
    mortise::task_scope tasks{rt};
    tasks.go([&] { ++ran; });
    tasks.join();
    tasks.go([&] { ++ran; });
    tasks.join();
  }
  require(ran == 2, "both ran");
}

// A wake between a fiber's look at its condition and the moment when nothing runs on its stack any more.
EXPLORE(runtime, a_fiber_that_parks_is_woken, {.deviations = 1}) {
  mortise::atomic<bool> open{false};
  mortise::atomic<wait::parker*> sleeper{nullptr};
  mortise::runtime rt{with_workers(1)};
  mortise::task_scope tasks{rt};
  tasks.go([&] {
    sleeper.store(&wait::this_context().self(), std::memory_order_release);
    while (!open.load(std::memory_order_acquire)) wait::this_context().park(mortise::never);
  });
  while (sleeper.load(std::memory_order_acquire) == nullptr) explore::await_change();
  open.store(true, std::memory_order_release);
  sleeper.load(std::memory_order_acquire)->unpark();
  tasks.join();
}

// The same with a deadline that comes at the same time: the task is then queued twice, or not at all.
EXPLORE(runtime, a_deadline_and_a_wake_at_once, {.preemptions = 2, .deviations = 1}) {
  mortise::atomic<bool> open{false};
  mortise::atomic<wait::parker*> sleeper{nullptr};
  mortise::runtime rt{with_workers(1)};
  mortise::task_scope tasks{rt};
  tasks.go([&] {
    sleeper.store(&wait::this_context().self(), std::memory_order_release);
    wait::this_context().park(mortise::now_ns() + 100'000);
    while (!open.load(std::memory_order_acquire)) wait::this_context().park(mortise::never);
  });
  while (sleeper.load(std::memory_order_acquire) == nullptr) explore::await_change();
  open.store(true, std::memory_order_release);
  sleeper.load(std::memory_order_acquire)->unpark();
  tasks.join();
}

// A sleep that ends early, or is forgotten in the timers.
EXPLORE(runtime, sleeps_are_never_early, {.deviations = 1}) {
  mortise::runtime rt{with_workers(1)};
  mortise::task_scope tasks{rt};
  tasks.go([] {
    const auto until = mortise::now_ns() + 300'000;
    mortise::sleep_for(300us);
    require(mortise::now_ns() >= until, "not early");
  });
  tasks.go([]() -> mortise::task<> {
    const auto until = mortise::now_ns() + 200'000'000;  // beyond the wheel
    co_await mortise::async_sleep_for(200ms);
    require(mortise::now_ns() >= until, "not early");
  });
  tasks.join();
}

// The end of the last task is missed by its joiner (S2), or the joiner does not see what the tasks did (S1).
EXPLORE(runtime, a_join_sees_what_its_tasks_did, {.preemptions = 1, .deviations = 1}) {
  mortise::plain<int> one{0}, other{0};
  mortise::runtime rt{with_workers(2)};
  {
    mortise::task_scope tasks{rt};
    tasks.go([&] { one = 1; });
    tasks.go([&] { other = 1; });
    tasks.join();
    require(one == 1 && other == 1, "all of it");
  }
}

// What a joined task threw is lost, or thrown twice.
EXPLORE(runtime, a_join_rethrows, {.preemptions = 1, .deviations = 1}) {
  mortise::runtime rt{with_workers(1)};
  mortise::task_scope tasks{rt};
  tasks.go([] { throw std::runtime_error("thrown"); });
  bool caught = false;
  try {
    tasks.join();
  } catch (const std::runtime_error&) {
    caught = true;
  }
  require(caught, "what a task threw");
}

// A worker that is stuck in one task keeps its sleepers for ever, though a peer is idle.
EXPLORE(runtime, a_peer_wakes_the_sleepers_of_one_that_is_stuck,
        {.preemptions = 1, .deviations = 0, .most_steps = 20'000}) {
  mortise::atomic<bool> woken{false};
  mortise::runtime rt{with_workers(2)};
  mortise::task_scope tasks{rt};
  tasks.go([&] {
    tasks.go([&] {
      mortise::sleep_for(1ms);
      woken.store(true, std::memory_order_release);
    });
    mortise::yield();
    while (!woken.load(std::memory_order_acquire)) explore::await_change();  // never gives way
  });
  tasks.join();
}

}  // namespace
