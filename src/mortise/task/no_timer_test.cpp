// Sleeping while there is no memory for timers.
#include <gtest/gtest.h>

#include <new>
#include <thread>

#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/base/sanitizers.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task_scope.hpp>

#if !MORTISE_TSAN  // which brings an operator new of its own

namespace {

mortise::atomic<bool> refuse{false};
mortise::atomic<int> refused{0};

}  // namespace

// The timers' blocks of 62 deadlines are what the library allocates of this size without throwing.
void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
  if (refuse && n > 900 && n < 1100) {
    ++refused;
    return nullptr;
  }
  try {
    return ::operator new(n);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

namespace {

using namespace std::chrono_literals;
using mortise::nanos;
using mortise::now_ns;

// The bug: whoever got no timer goes on at once, as if the time had passed.
TEST(sleep_without_a_timer, is_no_shorter) {
  mortise::runtime rt{{.workers = 1}};
  mortise::task_scope tasks{rt};
  nanos fiber = 0, coroutine = 0;
  refuse = true;
  tasks.go([&]() -> mortise::task<> {
    const nanos start = now_ns();
    co_await mortise::async_sleep_for(20ms);
    coroutine = now_ns() - start;
  });
  tasks.go([&] {
    const nanos start = now_ns();
    mortise::sleep_for(20ms);
    fiber = now_ns() - start;
  });
  tasks.join();
  refuse = false;
  EXPECT_GT(refused, 0);  // else this has tested nothing
  EXPECT_GE(coroutine, 20'000'000);
  EXPECT_GE(fiber, 20'000'000);
}

// The bug: what was kept for the time without a timer is taken for something else when there is one again.
TEST(sleep_without_a_timer, gets_one_when_there_is_memory_again) {
  mortise::runtime rt{{.workers = 1}};
  mortise::task_scope tasks{rt};
  nanos slept = 0;
  refused = 0;
  refuse = true;
  tasks.go([&]() -> mortise::task<> {
    const nanos start = now_ns();
    co_await mortise::async_sleep_for(50ms);
    slept = now_ns() - start;
  });
  while (refused == 0) std::this_thread::yield();
  refuse = false;
  tasks.join();
  EXPECT_GE(slept, 50'000'000);
}

}  // namespace

#endif
