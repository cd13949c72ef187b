#include <gtest/gtest.h>

#include <thread>

#include <mortise/base/atomic.hpp>
#include <mortise/wait/context.hpp>

namespace {

namespace wait = mortise::wait;

// The bug: a wake that came before the wait is thrown away, and the wait lasts for ever.
TEST(thread_context, wake_that_came_first_ends_the_wait) {
  wait::context& here = wait::this_context();
  for (int i = 0; i < 3; ++i) {
    here.self().unpark();
    here.park(mortise::never);
  }
}

// The bug: the woken goes on without seeing what its waker did before it woke it (ThreadSanitizer sees that).
TEST(thread_context, woken_sees_what_its_waker_wrote) {
  wait::context& here = wait::this_context();
  for (int i = 0; i < 100; ++i) {
    int written = 0;
    mortise::atomic<bool> woken{false};
    {
      const std::jthread waker([&, &me = here.self()] {
        written = 1;
        woken.store(true, mortise::memory_order_relaxed);  // orders nothing: the wake alone does
        me.unpark();
      });
      do here.park(mortise::never);
      while (!woken.load(mortise::memory_order_relaxed));
      ASSERT_EQ(written, 1);
    }
  }
}

}  // namespace
