// To whom a free lock is promised, and what becomes of the promise.
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <thread>

#include <mortise/lock/mutex.hpp>
#include <support/foreign.hpp>
#include <support/lock_probe.hpp>
#include <support/told.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::lock_probe;

foreign::coroutine take_once(mortise::mutex& m, foreign::manual_executor& ex, int& taken) {
  const auto hold = co_await m.async_lock(&ex);
  ++taken;
}

// Waits in `waiting` for a millisecond, comes when it is told, and finds the lock taken again: it insists. The caller holds the lock.
void make_insist(mortise::mutex& m, foreign::manual_executor& ex) {
  do {
    std::this_thread::sleep_for(2ms);
    m.unlock();
    m.lock();
    ex.run_all();
  } while (!lock_probe::insists(m));
}

// The bug: who has waited for a millisecond is passed for as long as others are quick.
TEST(mutex_offers, reserved_lock_refuses_who_is_not_in_the_queue) {
  mortise::mutex m;
  foreign::manual_executor ex;
  int taken = 0;
  m.lock();
  const auto waiting = take_once(m, ex, taken);
  make_insist(m, ex);
  m.unlock();
  EXPECT_FALSE(m.try_lock());
  EXPECT_FALSE(m.try_lock_for(0s));
  ex.run_all();
  EXPECT_EQ(taken, 1);
  EXPECT_TRUE(m.try_lock());  // and no longer than that
  m.unlock();
}

// The bug: a lock is left idle for one who has waited long and is not there yet, so that each of many waiters costs all others a wake.
TEST(mutex_offers, lock_is_taken_past_one_who_has_not_come_yet) {
  mortise::mutex m;
  foreign::manual_executor ex;
  int taken = 0;
  m.lock();
  const auto waiting = take_once(m, ex, taken);
  std::this_thread::sleep_for(2ms);
  m.unlock();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(m.try_lock());
    m.unlock();
  }
  EXPECT_EQ(ex.run_all(), 1u);
  EXPECT_EQ(taken, 1);
}

// The bug: who was told in advance, to save a wake, takes the reserved lock before the one in front of it.
TEST(mutex_offers, who_is_told_early_waits_for_its_turn) {
  for (;;) {
    mortise::mutex m;
    foreign::manual_executor front, behind;
    int first = 0, second = 0;
    m.lock();
    const auto a = take_once(m, front, first);
    make_insist(m, front);
    const auto b = take_once(m, behind, second);
    const told those;
    m.unlock();  // both are told
    behind.run_all();
    const bool in_time = those.are_waited_for();
    const bool passed = second != 0;
    while (front.run_all() + behind.run_all() != 0) {}
    EXPECT_EQ(first + second, 2);
    if (!in_time) continue;
    EXPECT_FALSE(passed);
    return;
  }
}

// Two wait, the second insists, having come in vain, and the first has been told and does not come. The lock is free.
void make_second_insist(mortise::mutex& m, foreign::manual_executor& behind) {
  std::this_thread::sleep_for(2ms);
  m.unlock();
  m.lock();
  behind.run_all();
  m.unlock();
}

// The bug: the first goes away, and the lock is not reserved for the new one, who insists.
TEST(mutex_offers, one_who_goes_away_leaves_the_lock_to_who_insists) {
  mortise::mutex m;
  foreign::manual_executor front, behind;
  int first = 0, second = 0;
  m.lock();
  auto a = take_once(m, front, first);
  const auto b = take_once(m, behind, second);
  make_second_insist(m, behind);
  EXPECT_FALSE(lock_probe::insists(m));
  a.destroy();
  EXPECT_TRUE(lock_probe::insists(m));
  EXPECT_FALSE(m.try_lock());
  behind.run_all();
  EXPECT_EQ(second, 1);
  front.drop_all();
}

// The bug: the first is late, so the second, who insists, is told; the first takes the lock after all, and its unlock owes nothing, a
// wake being in flight: the lock is not reserved.
TEST(mutex_offers, one_who_comes_late_leaves_the_lock_to_who_insists) {
  mortise::mutex m;
  foreign::manual_executor front, behind;
  int first = 0, second = 0;
  m.lock();
  const auto a = take_once(m, front, first);
  const auto b = take_once(m, behind, second);
  make_second_insist(m, behind);
  while (behind.empty()) std::this_thread::sleep_for(1ms);  // the warden tells it
  front.run_all();
  EXPECT_EQ(first, 1);
  EXPECT_TRUE(lock_probe::insists(m));
  EXPECT_FALSE(m.try_lock());
  while (front.run_all() + behind.run_all() != 0) {}
  EXPECT_EQ(second, 1);
}

// The bug: who came and found the lock taken still counts as told, so that the next unlock tells nobody.
TEST(mutex_offers, who_found_it_taken_is_told_again) {
  for (;;) {
    mortise::mutex m;
    foreign::manual_executor ex;
    int taken = 0;
    m.lock();
    const auto waiting = take_once(m, ex, taken);
    m.unlock();
    if (!m.try_lock()) {  // this thread lost the core for a millisecond, and the lock is reserved
      ex.run_all();
      continue;
    }
    EXPECT_EQ(ex.run_all(), 1u);
    EXPECT_EQ(taken, 0);
    m.unlock();
    EXPECT_EQ(ex.run_all(), 1u);
    EXPECT_EQ(taken, 1);
    return;
  }
}

// The bug: a store that gives up the queue writes the word as it was, and so frees a lock that was taken meanwhile.
TEST(mutex_offers, lock_taken_while_the_queue_is_locked_stays_taken) {
  mortise::mutex m;
  lock_probe::while_queue_is_locked(m, [&] { EXPECT_TRUE(m.try_lock()); });
  EXPECT_FALSE(m.try_lock());
  m.unlock();
  EXPECT_TRUE(m.try_lock());
  m.unlock();
}

// The bugs: the warden has once run out of work and is not woken for more; it looks at a lock that is gone
// (AddressSanitizer sees that).
TEST(mutex_offers, warden_serves_again_and_lets_go) {
  for (int round = 0; round < 3; ++round) {
    auto m = std::make_unique<mortise::mutex>();
    foreign::manual_executor stopped;
    int taken = 0;
    m->lock();
    const auto never_runs = take_once(*m, stopped, taken);
    std::jthread behind([&] { const std::lock_guard hold{*m}; });
    lock_probe::wait_for_waiters(*m, 2);
    std::this_thread::sleep_for(2ms);
    m->unlock();
    behind.join();  // only the warden can have told it
    while (stopped.run_all() != 0) {}
    EXPECT_EQ(taken, 1);
    m.reset();
    std::this_thread::sleep_for(10ms);  // some of its ticks: it looks, or goes to sleep
  }
}

// The bug: one lock that leaves the warden's list takes another with it.
TEST(mutex_offers, warden_keeps_the_others) {
  mortise::mutex left, kept;
  foreign::manual_executor runs, stopped;
  int taken = 0, never_taken = 0;
  left.lock();
  kept.lock();
  const auto a = take_once(left, runs, taken), b = take_once(left, runs, taken);
  const auto never_runs = take_once(kept, stopped, never_taken);
  std::jthread behind([&] { const std::lock_guard hold{kept}; });
  lock_probe::wait_for_waiters(kept, 2);
  left.unlock();
  kept.unlock();  // both are watched now
  while (runs.run_all() != 0) {}
  EXPECT_EQ(taken, 2);
  behind.join();
  while (stopped.run_all() != 0) {}
}

}  // namespace
