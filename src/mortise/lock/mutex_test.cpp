#include <mortise/lock/mutex.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include <support/foreign.hpp>
#include <support/lock_probe.hpp>
#include <support/slow_clock.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::lock_probe;

constinit mortise::mutex global;  // does not compile unless it is initialised before the program starts

// The bug: a copy of a locked mutex guards nothing (the seed's sentence).
static_assert(!std::is_copy_constructible_v<mortise::mutex> && !std::is_copy_assignable_v<mortise::mutex>);
static_assert(!std::is_move_constructible_v<mortise::mutex> && !std::is_move_assignable_v<mortise::mutex>);
static_assert(sizeof(mortise::mutex) == 8);

// The same bodies run on std::mutex as the control.
template <class Mutex>
class any_mutex : public testing::Test {};
using mutexes = testing::Types<mortise::mutex, std::mutex>;
TYPED_TEST_SUITE(any_mutex, mutexes);

TYPED_TEST(any_mutex, one_holder_at_a_time) {  // the bug: two in the section
  TypeParam m;
  std::uint64_t n = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 20'000; ++i) {
          const std::lock_guard hold{m};
          ++n;
        }
      });
    }
  }
  EXPECT_EQ(n, 80'000u);
}

TYPED_TEST(any_mutex, several_are_locked_together) {  // the bug: scoped_lock's back-off leaves one locked
  TypeParam a, b, c;
  int n = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 2'000; ++i) {
          if (t == 0) {
            const std::scoped_lock hold{a, b, c};
            ++n;
          } else if (t == 1) {
            const std::scoped_lock hold{c, a, b};
            ++n;
          } else {
            const std::scoped_lock hold{b, c, a};
            ++n;
          }
        }
      });
    }
  }
  EXPECT_EQ(n, 6'000);
  EXPECT_TRUE(a.try_lock() && b.try_lock() && c.try_lock());
  a.unlock();
  b.unlock();
  c.unlock();
}

TYPED_TEST(any_mutex, try_lock_fails_while_another_holds) {  // the bug: try_lock takes a lock that is held
  TypeParam m;
  m.lock();
  std::jthread([&] { EXPECT_FALSE(m.try_lock()); }).join();
  m.unlock();
  EXPECT_TRUE(m.try_lock());
  m.unlock();
}

TYPED_TEST(any_mutex,
           next_holder_may_destroy_it_at_once) {  // the bug: unlock touches the mutex after freeing it
  for (int i = 0; i < 2'000; ++i) {
    auto m = std::make_unique<TypeParam>();
    m->lock();
    std::jthread next([&] {
      m->lock();
      m->unlock();
      m.reset();  // under AddressSanitizer a late touch by the first unlock is an error
    });
    m->unlock();
  }
}

TEST(mutex, global_is_ready_before_main) {
  const std::lock_guard hold{global};
  std::jthread([] { EXPECT_FALSE(global.try_lock()); }).join();
}

TEST(mutex,
     bounded_waits_end_at_their_deadline) {  // the bug: a deadline ignored, or a waiter left in the queue
  mortise::mutex m;
  m.lock();
  std::jthread([&] {
    const auto before = std::chrono::steady_clock::now();
    EXPECT_FALSE(m.try_lock_for(5ms));
    EXPECT_GE(std::chrono::steady_clock::now() - before, 5ms);
    EXPECT_FALSE(m.try_lock_until(std::chrono::system_clock::now() + 5ms));
    EXPECT_FALSE(m.try_lock_for(-1s));
  }).join();
  EXPECT_EQ(lock_probe::waiters(m), 0u);
  m.unlock();
  std::jthread([&] {
    EXPECT_TRUE(m.try_lock_for(1h));
    m.unlock();
    EXPECT_TRUE(m.try_lock_until(std::chrono::steady_clock::time_point::max()));
    m.unlock();
  }).join();
}

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

// Rule 1. The bug: the order of those that have waited for long is bent by luck, by kind or by barging.
TEST(mutex, who_has_waited_for_long_is_served_in_order) {
  mortise::mutex m;
  std::vector<int> order;  // guarded by m
  m.lock();
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      const std::lock_guard hold{m};
      order.push_back(i);
    });
    lock_probe::wait_for_waiters(m, static_cast<unsigned>(i + 1));
  }
  std::this_thread::sleep_for(5ms);  // all have waited for more than 1 ms
  std::jthread barger([&] {
    while (!m.try_lock()) std::this_thread::yield();
    order.push_back(99);
    m.unlock();
  });
  m.unlock();
  threads.clear();
  barger.join();
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4, 5, 6, 7, 99}));
}

// The coroutine of another library, in the queue on an executor that runs when told.
foreign::coroutine take_once(mortise::mutex& m, foreign::manual_executor& ex, int& taken) {
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

// A context whose parties have run for long: a coroutine that comes to lock gives way first, and is not queued meanwhile.
class tired final : public mortise::wait::context {
 public:
  tired() {
    m_before = mortise::wait::exchange_context(this);
    while (mortise::wait::budget_left() >= 0) mortise::wait::spend_budget();
  }
  ~tired() { mortise::wait::exchange_context(m_before); }
  mortise::wait::parker& self() noexcept override { std::abort(); }
  void park(mortise::nanos) noexcept override { std::abort(); }
  void yield() noexcept override { std::abort(); }
  mortise::wait::party kind() const noexcept override { return mortise::wait::party::thread; }
  int refill_budget() noexcept override { return 0; }
  mortise::wait::parker* suspend_coroutine(void*, mortise::wait::waiter*) noexcept override {
    return nullptr;
  }

 private:
  mortise::wait::context* m_before;
};

// The bug: only a frame that is queued takes its wake back, and the job locks and resumes what is gone.
TEST(mutex, frame_that_gave_way_may_be_destroyed) {
  mortise::mutex m;
  foreign::manual_executor ex;
  int taken = 0;
  {
    const tired here;
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
    const tired here;
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
