// Fibers, tasks and threads at one mutex where one of them gives up, is joined, has used up its turn, or belongs to another runtime. Each
// opens with the bug that it would show. (Every mix of kinds: kinds_model.cpp.)
#include <chrono>

#include <explore/shared_section.hpp>
#include <explore/verify.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/task/go.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task_scope.hpp>
#include <mortise/wait/budget.hpp>

namespace {

using namespace std::chrono_literals;
using explore::require;
using explore::scoped_thread;
using section = explore::shared_section<mortise::mutex>;

constexpr mortise::runtime_options one_worker{.workers = 1, .stack_size = 16384, .precise_sleep = false};

mortise::task<> pass_async(section& s) {
  const auto hold = co_await s.m.async_lock();
  s.pass();
}

void must_be_free(section& s) {
  require(s.m.try_lock(), "nobody holds it in the end");
  s.m.unlock();
}

// A fiber's deadline comes as it is offered the lock: the thread behind it sleeps for ever.
EXPLORE(parties, a_fiber_that_times_out_passes_its_offer_to_a_thread, {.preemptions = 1, .deviations = 1}) {
  section s;
  int got = 0;
  {
    mortise::runtime rt{one_worker};
    mortise::task_scope tasks{rt};
    s.m.lock();
    tasks.go([&] {
      if (!s.m.try_lock_for(300us)) return;
      s.pass();
      ++got;
      s.m.unlock();
    });
    scoped_thread behind{"behind", [&] { s.lock_and_pass(); }};
    mortise::sleep_this_thread_until(mortise::now_ns() + 250'000);
    s.m.unlock();
    tasks.join();
  }
  require(s.passed == 1 + got, "who got it was inside");
  must_be_free(s);
}

// A scope is joined by the thread that holds what its task waits for until just before: the join misses the end, or comes before it.
EXPLORE(parties, a_task_that_waits_for_the_lock_is_joined, {.preemptions = 1, .deviations = 1}) {
  section s;
  mortise::runtime rt{one_worker};
  mortise::task_scope tasks{rt};
  s.m.lock();
  tasks.go([&s] { return pass_async(s); });
  s.pass();
  s.m.unlock();
  tasks.join();
  require(s.passed == 2, "it came in before the join ended");
  must_be_free(s);
}

// A task whose turn is used up gives way before it waits: it is in no queue then, and must come back to it.
EXPLORE(parties, a_task_whose_turn_is_used_up_comes_in_all_the_same, {.preemptions = 1, .deviations = 1}) {
  section s;
  mortise::runtime rt{one_worker};
  mortise::task_scope tasks{rt};
  tasks.go([&s]() -> mortise::task<> {
    while (mortise::wait::spend_budget()) {}
    static_cast<void>(mortise::wait::refill_budget());  // its turn is measured from here
    mortise::sleep_this_thread_until(mortise::now_ns() + 1'000'000);
    while (mortise::wait::spend_budget()) {}
    const auto hold = co_await s.m.async_lock();
    s.pass();
  });
  tasks.go([&s] { return pass_async(s); });
  s.lock_and_pass();
  tasks.join();
  require(s.passed == 3, "all came in");
  must_be_free(s);
}

// A wake from one runtime to a task of another goes to the wrong one, or is lost as that one goes idle.
EXPLORE(parties, tasks_of_two_runtimes, {.preemptions = 1, .deviations = 0}) {
  section s;
  {
    mortise::runtime one{one_worker}, two{one_worker};
    mortise::task_scope of_one{one}, of_two{two};
    of_one.go([&s]() -> mortise::task<> {
      const auto hold = co_await s.m.async_lock();
      s.enter();
      co_await mortise::async_yield();
      s.leave();
    });
    of_two.go([&s] { return pass_async(s); });
    of_one.join();
    of_two.join();
  }
  require(s.passed == 2, "both came in");
  must_be_free(s);
}

}  // namespace
