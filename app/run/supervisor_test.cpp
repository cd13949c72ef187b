#include <app/run/supervisor.hpp>

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>
#include <app/run/shared_pages.hpp>
#include <app/run/workload.hpp>
#include <stdexcept>
#include <string>

#include <mortise/base/atomic.hpp>
#include <support/emulated.hpp>

namespace {

using app::supervisor;

void wait_for_ever(unsigned) {
  for (;;) ::pause();
}
std::string no_reason(unsigned) { return ""; }

// What `act` throws, after as many tries as it takes.
template <class Act>
std::string error_of(Act&& act) {
  for (int tries = 0; tries < 6000; ++tries) {
    try {
      act();
    } catch (const app::start_error& e) {
      return e.what();
    }
    ::usleep(10'000);
  }
  return "";
}

TEST(supervisor, those_that_end_when_told_are_joined) {
  const auto told = app::make_shared_pages<mortise::atomic<bool>>(1);
  supervisor s{3,
               [&](unsigned) {
                 while (!told[0].load()) ::usleep(1'000);
               },
               no_reason};
  for (unsigned place = 0; place < 3; ++place) s.start(place);
  s.look();
  told[0].store(true);
  EXPECT_TRUE(s.join(60));
  EXPECT_GT(s.cpu_ns(), 0);
  EXPECT_GT(s.rss_peak_bytes(), 0);
}

// The bug: a run whose processes are gone goes on, and counts nothing.
TEST(supervisor, one_that_ends_untold_is_named) {
  supervisor s{2,
               [](unsigned place) {
                 if (place == 0) wait_for_ever(place);
               },
               no_reason};
  for (unsigned place = 0; place < 2; ++place) s.start(place);
  EXPECT_EQ(error_of([&] { s.look(); }), "process 2 of 2 ended by itself, with 0");
}

TEST(supervisor, one_that_fails_says_why) {
  supervisor s{1, [](unsigned) { throw std::runtime_error("no thread"); },
               [](unsigned) { return std::string("no thread to be had"); }};
  s.start(0);
  EXPECT_EQ(error_of([&] { s.look(); }), "process 1 of 1: no thread to be had");
}

TEST(supervisor, one_that_is_ended_by_a_signal_is_named_with_it) {
  if (mortise::test::emulated()) GTEST_SKIP() << "the emulator ends by signals of its own";
  supervisor s{1, [](unsigned) { ::raise(SIGKILL); }, no_reason};
  s.start(0);
  EXPECT_EQ(error_of([&] { s.look(); }), "process 1 of 1 was ended by signal 9 (Killed)");
}

// The bug: those that were killed are taken for some that ended ill, or are never waited for.
TEST(supervisor, another_one_stands_where_one_was_killed) {
  const auto begun = app::make_shared_pages<mortise::atomic<int>>(2);
  supervisor s{2,
               [&](unsigned place) {
                 begun[place].fetch_add(1);
                 wait_for_ever(place);
               },
               no_reason};
  for (unsigned place = 0; place < 2; ++place) s.start(place);
  for (int i = 0; i < 5; ++i) {
    while (begun[1].load() <= i) ::usleep(1'000);
    s.replace(1);
    s.look();
  }
  while (begun[1].load() < 6) ::usleep(1'000);
  EXPECT_EQ(begun[0].load(), 1);
  ::usleep(50'000);
  s.look();
}

// The bug: one that does not end keeps the command for ever.
TEST(supervisor, one_that_does_not_end_when_told_is_killed_and_owned_up_to) {
  supervisor s{2,
               [](unsigned place) {
                 if (place == 1) wait_for_ever(place);
               },
               no_reason};
  for (unsigned place = 0; place < 2; ++place) s.start(place);
  EXPECT_FALSE(s.join(1));
}

TEST(supervisor, none_is_left_when_it_is_gone) {
  const auto process = app::make_shared_pages<mortise::atomic<pid_t>>(1);
  {
    supervisor s{1,
                 [&](unsigned place) {
                   process[0].store(::getpid());
                   wait_for_ever(place);
                 },
                 no_reason};
    s.start(0);
    while (process[0].load() == 0) ::usleep(1'000);
    EXPECT_EQ(::kill(process[0].load(), 0), 0);
  }
  EXPECT_NE(::kill(process[0].load(), 0), 0);
}

}  // namespace
