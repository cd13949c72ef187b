// What is the mutex's own. What any lock promises is tested in tests/conformance.
#include <mortise/lock/mutex.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include <support/foreign.hpp>
#include <support/lock_probe.hpp>
#include <support/slow_clock.hpp>
#include <support/tired_context.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::lock_probe;

static_assert(sizeof(mortise::mutex) == 8);

// The bug: a clock was set back meanwhile, and nobody looks at it again.
TEST(mutex, bounded_wait_looks_again_at_a_clock_that_is_set) {
  mortise::mutex m;
  m.lock();
  std::jthread([&] {
    const auto until = slow_clock::now() + 2ms;
    EXPECT_FALSE(m.try_lock_until(until));
    EXPECT_GE(slow_clock::now(), until);
  }).join();
  m.unlock();
}

// The coroutine of another library, in the queue on an executor that runs when told.
foreign::coroutine take_once(mortise::mutex& m, mortise::wait::executor& ex, int& taken) {
  const auto hold = co_await m.async_lock(&ex);
  ++taken;
}

// Rule 2. The bug: unlock resumes a coroutine inline, in the middle of the unlocker's code.
TEST(mutex, unlock_runs_no_waiter) {
  mortise::mutex m;
  foreign::manual_executor ex;
  int taken = 0;
  m.lock();
  const auto waiting = take_once(m, ex, taken);
  m.unlock();
  EXPECT_EQ(taken, 0);
  EXPECT_EQ(ex.run_all(), 1u);
  EXPECT_EQ(taken, 1);
  EXPECT_TRUE(waiting.done());
  EXPECT_TRUE(m.try_lock());
  m.unlock();
}

// Rule 4. The bug: an offered waiter goes away and takes the wake with it; the one behind sleeps for ever.
TEST(mutex, destroyed_frame_passes_its_offer_on) {
  mortise::mutex m;
  foreign::manual_executor dead;
  int taken = 0;
  m.lock();
  auto first = take_once(m, dead, taken);
  std::jthread second([&] { const std::lock_guard hold{m}; });
  lock_probe::wait_for_waiters(m, 2);
  m.unlock();  // offered to `first`
  first.destroy();
  second.join();
  EXPECT_EQ(taken, 0);
  EXPECT_EQ(dead.run_all(), 1u);  // the job finds nothing to resume
}

TEST(mutex, destroyed_frame_leaves_the_middle_of_the_queue) {
  mortise::mutex m;
  foreign::manual_executor ex;
  int taken = 0;
  m.lock();
  auto a = take_once(m, ex, taken);
  auto b = take_once(m, ex, taken);
  auto c = take_once(m, ex, taken);
  EXPECT_EQ(lock_probe::waiters(m), 3u);
  b.destroy();
  EXPECT_EQ(lock_probe::waiters(m), 2u);
  m.unlock();
  while (ex.run_all() != 0) {}
  EXPECT_EQ(taken, 2);
  EXPECT_TRUE(a.done() && c.done());
}

TEST(mutex, dropped_job_passes_its_offer_on) {
  mortise::mutex m;
  foreign::manual_executor ends;
  int taken = 0;
  m.lock();
  auto first = take_once(m, ends, taken);
  std::jthread second([&] { const std::lock_guard hold{m}; });
  lock_probe::wait_for_waiters(m, 2);
  m.unlock();
  EXPECT_EQ(ends.drop_all(), 1u);  // the executor ends without having run it
  second.join();
  EXPECT_EQ(lock_probe::waiters(m), 0u);  // and is not only passed by, as overdue
  EXPECT_EQ(taken, 0);
}

// The bug: only a frame that is queued takes its wake back, and the job locks and resumes what is gone.
TEST(mutex, frame_that_gave_way_may_be_destroyed) {
  mortise::mutex m;
  foreign::manual_executor ex;
  int taken = 0;
  {
    const foreign::tired here;
    auto waiting = take_once(m, ex, taken);
    EXPECT_FALSE(waiting.done());
    EXPECT_EQ(lock_probe::waiters(m), 0u);
    waiting.destroy();
  }
  EXPECT_EQ(ex.run_all(), 1u);
  EXPECT_EQ(taken, 0);
  EXPECT_TRUE(m.try_lock());
  m.unlock();
}

// The bug: its job is dropped, and it leaves a queue in which it never was.
TEST(mutex, frame_that_gave_way_may_lose_its_job) {
  mortise::mutex m;
  foreign::manual_executor ends;
  int taken = 0;
  {
    const foreign::tired here;
    auto waiting = take_once(m, ends, taken);
    EXPECT_EQ(ends.drop_all(), 1u);
    EXPECT_EQ(taken, 0);
  }
  EXPECT_TRUE(m.try_lock());
  m.unlock();
}

// Rule 5. The bug ("futurelock"): whoever is offered the lock never runs again, and everybody behind hangs.
TEST(mutex, one_who_never_runs_hangs_nobody) {
  mortise::mutex m;
  foreign::manual_executor stopped;
  int taken = 0;
  m.lock();
  auto first = take_once(m, stopped, taken);
  auto second = take_once(m, stopped, taken);
  std::jthread third([&] { const std::lock_guard hold{m}; });
  lock_probe::wait_for_waiters(m, 3);
  std::this_thread::sleep_for(2ms);  // so that the lock is reserved for the queue
  m.unlock();
  third.join();  // hangs without the warden
  EXPECT_EQ(taken, 0);
  std::jthread([&] { const std::lock_guard hold{m}; }).join();  // one who comes later gets it too
  while (stopped.run_all() != 0) {}
  EXPECT_EQ(taken, 2);
}

TEST(mutex, one_who_comes_to_a_stale_offer_gets_the_lock) {
  mortise::mutex m;
  foreign::manual_executor stopped;
  int taken = 0;
  m.lock();
  auto first = take_once(m, stopped, taken);
  std::this_thread::sleep_for(2ms);
  m.unlock();  // reserved for `first`, with nobody behind it yet
  std::jthread([&] { const std::lock_guard hold{m}; }).join();
  stopped.run_all();
  EXPECT_EQ(taken, 1);
}

TEST(mutex, foreign_coroutine_without_an_executor_is_resumed) {
  mortise::mutex m;
  mortise::atomic<bool> taken{false};
  m.lock();
  [](mortise::mutex& lock, mortise::atomic<bool>& flag) -> foreign::detached {
    { const auto hold = co_await lock.async_lock(); }
    flag.store(true);
  }(m, taken);
  m.unlock();
  while (!taken.load()) std::this_thread::yield();
}

// The bug: the warden holds its list while it posts, and an executor that uses a mutex of ours in `post` needs that list.
TEST(mutex, the_warden_holds_nothing_while_it_posts) {
  struct unlocking_executor final : mortise::wait::executor {
    explicit unlocking_executor(std::unique_lock<mortise::mutex>& h) : held{h} {}
    void post(mortise::wait::job& j) noexcept override {
      if (held.owns_lock()) held.unlock();  // two coroutines wait for it, so the warden has to watch them
      kept.post(j);
      posted.store(true);
    }
    std::unique_lock<mortise::mutex>& held;
    foreign::manual_executor kept;
    mortise::atomic<bool> posted{false};
  };
  mortise::mutex m;
  mortise::mutex inner;
  foreign::manual_executor stopped;
  int taken = 0;
  std::unique_lock<mortise::mutex> held;
  [](mortise::mutex& lock, std::unique_lock<mortise::mutex>& out) -> foreign::detached {
    out = co_await lock.async_lock();
  }(inner, held);
  const auto third = take_once(inner, stopped, taken);
  const auto fourth = take_once(inner, stopped, taken);
  unlocking_executor unlocking{held};
  m.lock();
  const auto first = take_once(m, stopped, taken);
  while (!lock_probe::insists(m)) {  // so that the lock is reserved for the queue
    std::this_thread::sleep_for(2ms);
    m.unlock();
    m.lock();
    stopped.run_all();
  }
  m.unlock();
  const auto second = take_once(m, unlocking, taken);          // comes later, so the warden tells it
  while (!unlocking.posted.load()) std::this_thread::yield();  // hangs if the warden waits for itself
  while (unlocking.kept.run_all() + stopped.run_all() != 0) {}
  EXPECT_EQ(taken, 4);
}

#if !defined(__SANITIZE_THREAD__)
TEST(mutex_death, unlock_of_a_free_mutex_is_named) {
  mortise::mutex m;
  EXPECT_DEATH(m.unlock(), "^mortise: unlock of the mutex at 0x[0-9a-f]+, which is not locked");
}

#if MORTISE_IS_CHECKED
TEST(mutex_death, relock_is_named) {
  mortise::mutex m;
  EXPECT_DEATH(
      {
        m.lock();
        m.lock();
      },
      "lock of the mutex at .* by thread [0-9]+, which holds it already");
}

TEST(mutex_death, unlock_by_a_stranger_is_named) {
  EXPECT_DEATH(
      {
        mortise::mutex m;
        m.lock();
        std::thread([&] { m.unlock(); }).join();
      },
      "unlock of the mutex at .* by thread [0-9]+, but it is held by thread [0-9]+");
}

TEST(mutex_death, destruction_while_held_is_named) {
  EXPECT_DEATH(
      {
        mortise::mutex m;
        m.lock();
      },
      "is destroyed while it is held by thread [0-9]+");
}

TEST(mutex_death, destruction_while_waited_on_is_named) {
  EXPECT_DEATH(
      {
        auto m = std::make_unique<mortise::mutex>();
        m->lock();
        std::thread([&] { m->lock(); }).detach();
        lock_probe::wait_for_waiters(*m, 1);
        m.reset();
      },
      "is destroyed while others wait for it");
}

TEST(mutex, what_async_lock_took_may_be_unlocked_anywhere) {
  mortise::mutex m;
  foreign::manual_executor ex;
  int taken = 0;
  m.lock();
  const auto waiting = take_once(m, ex, taken);
  m.unlock();
  std::jthread([&] {
    ex.run_all();
  }).join();  // acquired and unlocked on another thread than the one that asked
  EXPECT_EQ(taken, 1);
}
#endif
#endif

}  // namespace
