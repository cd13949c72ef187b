// Waits for the mutex that end in more than one way. Each opens with the bug that it would show. (Every schedule: mutex_bounded_model.cpp.)
#include <mortise/lock/mutex.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stop_token>
#include <thread>

#include <support/foreign.hpp>
#include <support/lock_probe.hpp>
#include <support/slow_clock.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::lock_probe;
using mortise::mutex;
using mortise::outcome;

// What another thread is told that waits for `m`, which is held.
template <class... Until>
outcome waited(mutex& m, std::stop_token stop, Until... until) {
  outcome how{};
  std::jthread([&] { how = m.lock_or_stop(stop, until...); }).join();
  return how;
}

// The bug: a lock that is to be had at once is refused, or one way to end is taken for another.
TEST(mutex_bounded, says_how_it_ended) {
  mutex m;
  std::stop_source stop;
  EXPECT_EQ(m.lock_or_stop(stop.get_token()), outcome::acquired);
  EXPECT_EQ(waited(m, stop.get_token(), 1ms), outcome::timed_out);
  EXPECT_EQ(waited(m, {}, -1h), outcome::timed_out);
  EXPECT_EQ(waited(m, stop.get_token(), std::chrono::system_clock::now() + 1ms), outcome::timed_out);
  stop.request_stop();
  EXPECT_EQ(waited(m, stop.get_token()), outcome::stopped);
  EXPECT_EQ(waited(m, stop.get_token(), 1h), outcome::stopped);
  EXPECT_EQ(waited(m, stop.get_token(), std::chrono::steady_clock::now() + 1h), outcome::stopped);
  m.unlock();
  EXPECT_EQ(m.lock_or_stop(stop.get_token()), outcome::acquired) << "what is to be had at once is taken";
  m.unlock();
}

// The bug: a request that comes while it sleeps wakes nobody.
TEST(mutex_bounded, stop_wakes_a_sleeper) {
  mutex m;
  std::stop_source stop;
  m.lock();
  std::jthread waiter([&] { EXPECT_EQ(m.lock_or_stop(stop.get_token()), outcome::stopped); });
  lock_probe::wait_for_waiters(m, 1);
  stop.request_stop();
  waiter.join();  // hangs
  EXPECT_EQ(lock_probe::waiters(m), 0u);
  m.unlock();
}

// The bug: a clock was set back meanwhile, and nobody looks at it again.
TEST(mutex_bounded, looks_again_at_a_clock_that_is_set) {
  mutex m;
  m.lock();
  std::jthread([&] {
    const auto until = slow_clock::now() + 2ms;
    EXPECT_EQ(m.lock_or_stop({}, until), outcome::timed_out);
    EXPECT_GE(slow_clock::now(), until);
  }).join();
  m.unlock();
}

// The bug: who was told to come and ends otherwise takes the wake with it, and the one behind sleeps for ever.
TEST(mutex_bounded, who_is_stopped_passes_its_wake_on) {
  mutex m;
  foreign::manual_executor ex, stopped_one;
  std::stop_source stop;
  std::optional<outcome> how;
  int taken = 0;
  m.lock();
  const auto first = [](mutex& l, foreign::manual_executor& where, std::stop_token t,
                        std::optional<outcome>& ended) -> foreign::coroutine {
    auto [o, hold] = co_await l.async_lock_or_stop(t, &where);
    ended = o;
  }(m, stopped_one, stop.get_token(), how);
  const auto second = [](mutex& l, foreign::manual_executor& where, int& n) -> foreign::coroutine {
    const auto hold = co_await l.async_lock(&where);
    ++n;
  }(m, ex, taken);
  m.unlock();  // both are told
  ASSERT_TRUE(m.try_lock());
  ex.run_all();  // in vain
  stop.request_stop();
  stopped_one.run_all();
  EXPECT_EQ(how, outcome::stopped);
  EXPECT_EQ(taken, 0);
  EXPECT_EQ(lock_probe::waiters(m), 1u);
  m.unlock();
  ex.run_all();
  EXPECT_EQ(taken, 1);
}

foreign::coroutine until_stopped(mutex& m, foreign::manual_executor& ex, std::stop_token stop,
                                 std::chrono::nanoseconds d, std::optional<outcome>& how) {
  auto [ended, hold] = co_await m.async_lock_or_stop(stop, d, &ex);
  how = ended;
  EXPECT_EQ(hold.owns_lock(), ended == outcome::acquired);
}

// The bug: a coroutine is not woken by its deadline, by a stop, or by a stop that came before it; or it is resumed twice.
TEST(mutex_bounded, coroutine_hears_of_each) {
  mutex m;
  foreign::manual_executor ex;
  std::stop_source stop;
  std::optional<outcome> timed, stopped, at_once, granted;
  m.lock();
  const auto a = until_stopped(m, ex, {}, 1ms, timed);
  const auto b = until_stopped(m, ex, stop.get_token(), 1h, stopped);
  while (!timed) ex.run_all();
  EXPECT_EQ(timed, outcome::timed_out);
  EXPECT_FALSE(stopped);
  stop.request_stop();
  ex.run_all();
  EXPECT_EQ(stopped, outcome::stopped);
  const auto c = until_stopped(m, ex, stop.get_token(), 1h, at_once);
  EXPECT_FALSE(at_once) << "it is resumed on its executor, not where it waits";
  ex.run_all();
  EXPECT_EQ(at_once, outcome::stopped);
  const auto d = until_stopped(m, ex, {}, 1h, granted);
  m.unlock();
  ex.run_all();
  EXPECT_EQ(granted, outcome::acquired);
  EXPECT_TRUE(m.try_lock());
  m.unlock();
}

// The bug: the std::unique_lock of a wait that failed says that it owns the lock, or the other way about.
TEST(mutex_bounded, async_lock_for_owns_what_it_says) {
  mutex m;
  foreign::manual_executor ex;
  std::optional<bool> owns;
  const auto bounded = [](mutex& l, foreign::manual_executor& where,
                          std::optional<bool>& out) -> foreign::coroutine {
    const auto hold = co_await l.async_lock_for(1ms, &where);
    EXPECT_EQ(hold.mutex(), &l);
    out = hold.owns_lock();
  };
  m.lock();
  const auto a = bounded(m, ex, owns);
  while (!owns) ex.run_all();
  EXPECT_EQ(owns, false);
  m.unlock();
  const auto b = [](mutex& l, foreign::manual_executor& where,
                    std::optional<bool>& out) -> foreign::coroutine {
    const auto hold = co_await l.async_lock_until(std::chrono::system_clock::now() + 1h, &where);
    out = hold.owns_lock();
  }(m, ex, owns);
  EXPECT_EQ(owns, true);
}

// The bug: a frame that is destroyed while it waits is woken by its timer or by its stop callback (AddressSanitizer sees that), or stays queued.
TEST(mutex_bounded, frame_may_be_destroyed_at_each_stage) {
  enum class stage { queued, told, stopped, stopped_and_told, timed_out };
  for (const stage at :
       {stage::queued, stage::told, stage::stopped, stage::stopped_and_told, stage::timed_out}) {
    mutex m;
    foreign::manual_executor ex;
    std::stop_source stop;
    std::optional<outcome> how;
    m.lock();
    auto waiting = until_stopped(m, ex, stop.get_token(), at == stage::timed_out ? 1ms : 1h, how);
    if (at == stage::timed_out) {
      while (ex.empty()) std::this_thread::yield();
    }
    if (at == stage::told || at == stage::stopped_and_told) m.unlock();
    if (at == stage::stopped || at == stage::stopped_and_told) stop.request_stop();
    waiting.destroy();
    stop.request_stop();
    EXPECT_EQ(lock_probe::waiters(m), 0u);
    if (at != stage::told && at != stage::stopped_and_told) m.unlock();
    EXPECT_TRUE(m.try_lock());
    m.unlock();
    ex.run_all();
    EXPECT_FALSE(how);
  }
}

// The bug: a frame whose job was dropped is still woken by its timer or its stop callback.
TEST(mutex_bounded, dropped_job_passes_its_offer_on) {
  mutex m;
  foreign::manual_executor ends, ex;
  std::stop_source stop;
  std::optional<outcome> never, how;
  m.lock();
  const auto first = until_stopped(m, ends, stop.get_token(), 1ms, never);
  const auto second = until_stopped(m, ex, {}, 1h, how);
  m.unlock();
  while (ends.drop_all() == 0) std::this_thread::yield();
  stop.request_stop();
  while (ex.run_all() != 0) {}
  EXPECT_EQ(how, outcome::acquired);
  EXPECT_FALSE(never);
  std::this_thread::sleep_for(2ms);  // its deadline
  EXPECT_TRUE(ends.empty());
}

}  // namespace
