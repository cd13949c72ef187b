#include <gtest/gtest.h>

#include <mortise/base/atomic.hpp>
#include <mortise/task/counter.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task_scope.hpp>

namespace {

using namespace std::chrono_literals;

// The bug: on a saturated worker sleepers that are overdue fill the queue at each look, and tasks that come
// from outside never start. Found by the benchmark of 110,000 coroutines on one worker, which hung while it
// started them.
TEST(inbox, new_tasks_start_on_a_saturated_worker) {
  mortise::runtime rt{{.workers = 1, .stack_size = 16384}};
  mortise::task_scope tasks{rt};
  mortise::counter started;
  mortise::atomic<bool> stop{false};
  constexpr unsigned many = 30'000;
  for (unsigned i = 0; i < many; ++i) {
    tasks.go([&]() -> mortise::task<> {
      ++started;
      while (!stop) co_await mortise::async_sleep_for(100us);  // more than the worker can do
    });
  }
  while (started.value() != many) mortise::sleep_for(1ms);
  stop = true;
  tasks.join();
}

}  // namespace
