// Waking a fiber, at whatever moment.
#include <mortise/task/task_block.hpp>

#include <gtest/gtest.h>

#include <thread>

#include <mortise/base/atomic.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task_scope.hpp>

namespace {

namespace wait = mortise::wait;
using mortise::memory_order_relaxed;

// The bug: a wake that came before the wait is thrown away, and the wait lasts for ever.
TEST(task_block, wake_that_came_first_ends_the_wait) {
  mortise::runtime rt{{.workers = 1}};
  mortise::task_scope tasks{rt};
  tasks.go([] {
    for (int i = 0; i < 3; ++i) {
      wait::this_context().self().unpark();
      wait::this_context().park(mortise::never);
    }
  });
  tasks.join();
}

// The bug: each wake puts the task into a queue, and it is run where it is already running, or after its end.
TEST(task_block, several_wakes_are_one_run) {
  mortise::runtime rt{{.workers = 1}};
  mortise::task_scope tasks{rt};
  wait::parker* sleeper = nullptr;  // one worker: nothing here is at the same time
  int runs = 0;
  bool end = false;
  tasks.go([&] {
    sleeper = &wait::this_context().self();
    while (!end) {
      wait::this_context().park(mortise::never);
      ++runs;
    }
  });
  tasks.go([&] {
    while (sleeper == nullptr) mortise::yield();
    for (int i = 0; i < 3; ++i) sleeper->unpark();
    for (int i = 0; i < 10; ++i) mortise::yield();
    EXPECT_EQ(runs, 1);
    end = true;
    sleeper->unpark();
  });
  tasks.join();
}

// The bug: the woken goes on without seeing what its waker did before it woke it (ThreadSanitizer sees that). Here it is
// awake still, so that no queue orders the two.
TEST(task_block, woken_sees_what_its_waker_wrote) {
  mortise::runtime rt{{.workers = 1}};
  for (int i = 0; i < 20; ++i) {
    int written = 0;
    mortise::atomic<bool> told{false};
    mortise::atomic<wait::parker*> sleeper{nullptr};
    std::jthread waker([&] {
      wait::parker* who = nullptr;
      while ((who = sleeper.load()) == nullptr) std::this_thread::yield();
      written = 1;
      who->unpark();
      told.store(true, memory_order_relaxed);  // orders nothing: the wake alone does
    });
    mortise::task_scope tasks{rt};
    tasks.go([&] {
      sleeper.store(&wait::this_context().self());
      while (!told.load(memory_order_relaxed)) {}
      wait::this_context().park(mortise::never);
      EXPECT_EQ(written, 1);
    });
    tasks.join();
  }
}

}  // namespace
