#include <gtest/gtest.h>

#include <mortise/wait/coroutine.hpp>
#include <support/foreign.hpp>

namespace {

namespace wait = mortise::wait;

struct counting : wait::waiter {
  counting() noexcept {
    step = [](waiter& n, request) noexcept {
      ++static_cast<counting&>(n).asked;
      return false;  // nothing was to be had
    };
  }
  int asked = 0;
};

// A waker that was offered a ticket's former coroutine may be late, and meet the next. The bug: it finds the ticket parked
// although that coroutine is still on its way into a queue; an executor's thread claims for it, and perhaps resumes it,
// while it queues itself.
TEST(ticket, late_wake_waits_until_its_new_coroutine_sleeps) {
  foreign::manual_executor ex;
  int frame = 0;  // never resumed
  counting before, now;
  wait::parker& known_to_the_late = wait::coroutine_parker(&frame, before, false, &ex);
  known_to_the_late.abandon();  // that frame was destroyed
  wait::parker& again = wait::coroutine_parker(&frame, now, false, &ex);
  ASSERT_EQ(&known_to_the_late, &again) << "tickets are reused, last in, first out";

  known_to_the_late.unpark();
  EXPECT_EQ(ex.run_all(), 0u);
  EXPECT_EQ(now.asked, 0);

  again.settled();  // it is queued: now a wake is taken up, the early one too
  EXPECT_EQ(ex.run_all(), 1u);
  EXPECT_EQ(now.asked, 1);
  EXPECT_EQ(before.asked, 0);
  again.abandon();
}

// The bug: a wake that came while the coroutine found out that it need not wait stays behind in a recycled ticket.
TEST(ticket, wake_of_one_that_did_not_suspend_is_forgotten) {
  foreign::manual_executor ex;
  int frame = 0;
  counting first, second;
  wait::parker& p = wait::coroutine_parker(&frame, first, false, &ex);
  p.unpark();
  p.abandon();  // it got what it wanted
  EXPECT_TRUE(ex.empty());
  wait::parker& q = wait::coroutine_parker(&frame, second, false, &ex);
  ASSERT_EQ(&p, &q);
  q.settled();
  EXPECT_TRUE(ex.empty());
  q.unpark();
  EXPECT_EQ(ex.run_all(), 1u);
  EXPECT_EQ(first.asked + second.asked, 1);
  q.abandon();
}

}  // namespace
