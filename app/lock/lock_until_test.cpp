#include <gtest/gtest.h>
#include <app/lock/lock_until.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace {

// One file, opened twice: who has locked one of them excludes the other.
class lock_until : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/mortise-lock-XXXXXX";
    m_held = ::mkostemp(name, O_CLOEXEC);
    m_other = ::open(name, O_RDWR | O_CLOEXEC);
    ::unlink(name);
    ASSERT_EQ(::flock(m_held, LOCK_EX), 0);
  }
  void TearDown() override {
    ::close(m_held);
    ::close(m_other);
  }

  int m_held = -1, m_other = -1;
};

// The bug: the timer rings between the look at the clock and the call, and the call waits for ever.
TEST_F(lock_until, no_deadline_is_lost_however_near_it_is) {
  for (int i = 0; i < 400; ++i) {
    const std::int64_t deadline = app::lock::monotonic_ns() + i * 100;
    EXPECT_FALSE(app::lock::lock_until(m_other, deadline));
    EXPECT_GE(app::lock::monotonic_ns(), deadline);
  }
}

TEST_F(lock_until, is_not_early) {
  const std::int64_t deadline = app::lock::monotonic_ns() + 30'000'000;
  EXPECT_FALSE(app::lock::lock_until(m_other, deadline));
  EXPECT_GE(app::lock::monotonic_ns(), deadline);
}

TEST_F(lock_until, free_one_is_had_even_after_the_deadline) {
  ASSERT_EQ(::flock(m_held, LOCK_UN), 0);
  EXPECT_TRUE(app::lock::lock_until(m_other, 0));
}

// The bug: one who blocks the signal, as a parent may have done, is not rung out; or COMMAND finds another's mask and handler.
TEST_F(lock_until, leaves_signals_as_they_were) {
  sigset_t rings, before, after;
  ::sigemptyset(&rings);
  ::sigaddset(&rings, SIGRTMIN);
  ::sigprocmask(SIG_BLOCK, &rings, &before);
  EXPECT_FALSE(app::lock::lock_until(m_other, app::lock::monotonic_ns() + 1'000'000));
  ::sigprocmask(SIG_SETMASK, &before, &after);
  EXPECT_EQ(::sigismember(&after, SIGRTMIN), 1);
  struct sigaction now{};
  ::sigaction(SIGRTMIN, nullptr, &now);
  EXPECT_EQ(now.sa_handler, SIG_DFL);
  EXPECT_FALSE(app::lock::lock_until(m_other, app::lock::monotonic_ns() + 1'000'000));
}

}  // namespace
