// The parker of a coroutine that is no task of ours, asked by itself.
#include <gtest/gtest.h>

#include <atomic>
#include <coroutine>
#include <thread>

#include <mortise/wait/coroutine.hpp>
#include <support/foreign.hpp>

namespace {

namespace wait = mortise::wait;

struct node : wait::waiter {
  int claims = 0, left = 0;
  bool claimed = false;  // what the next claim says
  node() {
    step = [](waiter& w, request what) noexcept {
      node& me = static_cast<node&>(w);
      if (what == request::leave) return ++me.left, true;
      return ++me.claims, me.claimed;
    };
  }
};

// A frame to resume, which says so.
foreign::coroutine frame_of(int& resumed, std::coroutine_handle<>& frame) {
  struct here {
    std::coroutine_handle<>& frame;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) noexcept { frame = h; }
    void await_resume() const noexcept {}
  };
  co_await here{frame};
  ++resumed;
}

struct ticket : testing::Test {
  foreign::manual_executor executor;
  node waiting;
  int resumed = 0;
  std::coroutine_handle<> frame;
  foreign::coroutine coroutine = frame_of(resumed, frame);
  wait::parker& parker = wait::coroutine_parker(frame.address(), waiting, false, &executor);

  void finish() {
    waiting.claimed = true;
    parker.unpark();
    executor.run_all();
    EXPECT_EQ(resumed, 1);
  }
};

// The bug: a wake that was meant for the ticket's last user comes while its new one is still putting itself into a queue, on
// this thread; the executor claims with the same node on another, the queue is corrupted, or the coroutine runs twice.
TEST_F(ticket, a_stray_wake_reaches_nobody_who_has_not_suspended) {
  parker.unpark();
  EXPECT_TRUE(executor.empty());
  parker.has_suspended();
  EXPECT_EQ(executor.run_all(), 1u);  // nor is it lost: it may have been for this user
  EXPECT_EQ(waiting.claims, 1);
  EXPECT_EQ(resumed, 0);
  finish();
}

// The bug: the coroutine got the lock at once, and the job for the stray wake claims again for it, or never ends.
TEST_F(ticket, one_that_does_not_suspend_after_all_forgets_a_stray_wake) {
  parker.unpark();
  parker.abandon();
  EXPECT_TRUE(executor.empty());
  EXPECT_EQ(waiting.claims, 0);
  node next;
  wait::parker& again = wait::coroutine_parker(frame.address(), next, false, &executor);
  EXPECT_EQ(&again, &parker);  // it was given back
  again.abandon();
}

TEST_F(ticket, a_wake_while_its_job_asks_is_asked_for_again) {
  parker.has_suspended();
  parker.unpark();
  parker.unpark();  // one job, whatever the number of wakes
  EXPECT_EQ(executor.run_all(), 1u);
  EXPECT_EQ(waiting.claims, 1);
  finish();
}

// The bug: a job that is dropped leaves its party queued, and whoever wakes it next hangs those behind.
TEST_F(ticket, a_dropped_job_leaves) {
  parker.has_suspended();
  parker.unpark();
  EXPECT_EQ(executor.drop_all(), 1u);
  EXPECT_EQ(waiting.left, 1);
  EXPECT_EQ(resumed, 0);
}

// The bug: a late waker, which met the ticket's last user only, posts to that one's executor, which may be gone. ThreadSanitizer
// sees it whatever the processor does: nothing but the ticket's own state orders the two threads here.
TEST_F(ticket, a_late_waker_posts_to_the_executor_of_the_present_user) {
  foreign::manual_executor second;
  std::atomic<bool> now{false};  // relaxed
  std::thread late([&now, &p = parker] {
    while (!now.load(std::memory_order_relaxed)) std::this_thread::yield();
    p.unpark();
  });
  parker.abandon();
  wait::parker& again = wait::coroutine_parker(frame.address(), waiting, false, &second);
  EXPECT_EQ(&again, &parker);
  again.has_suspended();
  now.store(true, std::memory_order_relaxed);
  late.join();
  EXPECT_TRUE(executor.empty());
  EXPECT_EQ(second.run_all(), 1u);
  again.abandon();
}

}  // namespace
