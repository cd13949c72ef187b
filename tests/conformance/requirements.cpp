// The standard's named requirements: BasicLockable, Lockable, TimedLockable. What the compiler can check is checked here at
// compile time, what it cannot with another party beside.
#include <gtest/gtest.h>

#include <concepts>
#include <functional>

#include "broken_locks.hpp"
#include "parties.hpp"

namespace conformance {
namespace {

using namespace std::chrono_literals;

template <class L>
concept basic_lockable = requires(L m) {
  { m.lock() } -> std::same_as<void>;
  { m.unlock() } -> std::same_as<void>;
};
template <class L>
concept meets_lockable = basic_lockable<L> && requires(L m) {
  { m.try_lock() } -> std::same_as<bool>;
};
template <class L>
concept meets_timed_lockable =
    meets_lockable<L> &&
    requires(L m, std::chrono::duration<double> d, std::chrono::steady_clock::time_point t,
             std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds> s) {
      { m.try_lock_for(d) } -> std::same_as<bool>;
      { m.try_lock_for(1h) } -> std::same_as<bool>;
      { m.try_lock_until(t) } -> std::same_as<bool>;
      { m.try_lock_until(s) } -> std::same_as<bool>;
    };

template <class Traits>
class copies : public testing::Test {};
using copies_locks = list_of<any>::types;
TYPED_TEST_SUITE(copies, copies_locks, lock_names);

TYPED_TEST(copies,
           there_are_none) {  // the bug: a copy of a locked mutex guards nothing (the seed's sentence)
  using lock = typename TypeParam::lock;
  static_assert(!std::is_copy_constructible_v<lock> && !std::is_copy_assignable_v<lock>);
  static_assert(!std::is_move_constructible_v<lock> && !std::is_move_assignable_v<lock>);
  static_assert(std::is_nothrow_destructible_v<lock>);
}

// ---- Lockable

template <class Traits>
class lockable_lock : public testing::Test {};
using lockable_locks = list_of<lockable, no_exclusion, try_lock_waits>::types;
TYPED_TEST_SUITE(lockable_lock, lockable_locks, lock_names);

TYPED_TEST(lockable_lock, meets_the_requirements) {
  static_assert(meets_lockable<typename TypeParam::lock>);
  typename TypeParam::lock m;
  m.lock();
  m.unlock();
  EXPECT_TRUE(m.try_lock());
  m.unlock();
  expect_free<TypeParam>(m);
}

TYPED_TEST(lockable_lock,
           try_lock_fails_while_another_holds) {  // the bug: it takes a lock that is held, or waits
  for (const kind k : blocking_kinds) {
    if (!serves<TypeParam>(k)) continue;
    typename TypeParam::lock m;
    stage<TypeParam> parties;
    m.lock();
    parties.go_free(k, [&] { EXPECT_FALSE(m.try_lock()) << name_of(k); });
    parties.join();
    m.unlock();
    parties.go_free(k, [&] {
      EXPECT_TRUE(m.try_lock()) << name_of(k);
      m.unlock();
    });
  }
}

// ---- TimedLockable

template <class Traits>
class timed_lock : public testing::Test {};
using timed_locks = list_of<timed, gives_up_early, trusts_a_clock, faultless>::types;
TYPED_TEST_SUITE(timed_lock, timed_locks, lock_names);

// Runs `f` on a thread, and on a fiber and in a foreign context where the lock serves them.
template <class Traits, class F>
void elsewhere(F f) {
  for (const kind k : blocking_kinds) {
    if (!serves<Traits>(k)) continue;
    SCOPED_TRACE(name_of(k));
    stage<Traits> parties;
    parties.go_free(k, f);
  }
}

TYPED_TEST(timed_lock, meets_the_requirements) {
  static_assert(meets_timed_lockable<typename TypeParam::lock>);
  typename TypeParam::lock m;
  elsewhere<TypeParam>([&] {
    EXPECT_TRUE(m.try_lock_for(1s));
    m.unlock();
    EXPECT_TRUE(m.try_lock_until(std::chrono::system_clock::now() + 1s));
    m.unlock();
    std::unique_lock hold{m, 1s};
    EXPECT_TRUE(hold.owns_lock());
  });
}

// Not an hour: on a machine that has not been up for so long that is before the beginning of the steady clock, and glibc 2.36's rwlock (the
// control's) can never be locked again after such a deadline. For ours far_deadlines_... goes back further.
constexpr auto over = 1ms;

TYPED_TEST(timed_lock, nothing_to_wait_for_is_one_try) {  // the bug: below zero is taken for a long time
  typename TypeParam::lock m;
  const auto past = [] { return std::chrono::steady_clock::now() - over; };
  const auto tries = [&](bool expected) {
    auto seen = [&](bool got) {
      EXPECT_EQ(got, expected);
      if (got) m.unlock();
    };
    seen(m.try_lock_for(0s));
    seen(m.try_lock_for(-1ns));
    seen(m.try_lock_for(-over));
    seen(m.try_lock_for(std::chrono::duration<double>(-1e-30)));
    seen(m.try_lock_until(past()));
    seen(m.try_lock_until(std::chrono::system_clock::now() - over));
    seen(m.try_lock_until(std::chrono::steady_clock::time_point{}));
    seen(m.try_lock_until(std::chrono::system_clock::time_point{}));
  };
  elsewhere<TypeParam>([&] { tries(true); });
  m.lock();
  elsewhere<TypeParam>([&] { tries(false); });
  m.unlock();
}

TYPED_TEST(timed_lock,
           gives_up_at_its_deadline_and_not_before) {  // the bug: early, or a waiter left in the queue
  typename TypeParam::lock m;
  m.lock();
  elsewhere<TypeParam>([&] {
    for (const auto d : {1ns, 999'999ns, 5'000'001ns}) {
      const auto before = std::chrono::steady_clock::now();
      EXPECT_FALSE(m.try_lock_for(d));
      EXPECT_GE(std::chrono::steady_clock::now() - before, d);
      const auto until = std::chrono::steady_clock::now() + d;
      EXPECT_FALSE(m.try_lock_until(until));
      EXPECT_GE(std::chrono::steady_clock::now(), until);
      const auto on_the_wall = std::chrono::system_clock::now() + d;
      EXPECT_FALSE(m.try_lock_until(on_the_wall));
      EXPECT_GE(std::chrono::system_clock::now(), on_the_wall);
    }
  });
  m.unlock();
  expect_free<TypeParam>(m);
}

// A clock that goes as it is told.
struct told_clock {
  using rep = std::int64_t;
  using period = std::micro;
  using duration = std::chrono::microseconds;
  using time_point = std::chrono::time_point<told_clock>;
  static constexpr bool is_steady = false;
  static time_point now() { return time_point{duration{s_now.load()}}; }
  inline static std::atomic<rep> s_now{0};
};

// The bug: the clock is read once, and the wait ends although its time has not come.
TYPED_TEST(timed_lock, another_clock_is_looked_at_again) {
  typename TypeParam::lock m;
  elsewhere<TypeParam>([&] {
    EXPECT_TRUE(m.try_lock_until(told_clock::now() - over));  // free: taken, whatever the time
    m.unlock();
  });
  m.lock();
  elsewhere<TypeParam>([&] {
    std::atomic<bool> ended{false};
    const auto until = told_clock::now() + 100us;
    std::jthread hands([&] {
      std::this_thread::sleep_for(2ms);  // many times 100 us, by any other clock
      EXPECT_FALSE(ended.load());
      told_clock::s_now += 100;
    });
    EXPECT_FALSE(m.try_lock_until(until));
    ended = true;
    EXPECT_GE(told_clock::now(), until);
  });
  m.unlock();
  expect_free<TypeParam>(m);
}

// The bug: a sum that does not fit wraps around, and the wait is over at once or never.
TYPED_TEST(timed_lock, far_deadlines_are_waited_for) {
  if constexpr (!TypeParam::far_deadlines) {
    GTEST_SKIP() << "not promised";
  } else {
    typename TypeParam::lock m;
    using steady = std::chrono::steady_clock;
    using wall = std::chrono::system_clock;
    const std::function<bool()> waits[] = {
        [&] { return m.try_lock_for(std::chrono::hours::max()); },
        [&] { return m.try_lock_for(std::chrono::nanoseconds::max()); },
        [&] { return m.try_lock_for(std::chrono::duration<double>(1e300)); },
        [&] { return m.try_lock_for(std::chrono::duration<float, std::ratio<86400 * 365>>(1e6f)); },
        [&] { return m.try_lock_until(steady::time_point::max()); },
        [&] { return m.try_lock_until(wall::time_point::max()); },
        [&] { return m.try_lock_until(std::chrono::time_point<wall, std::chrono::hours>::max()); },
        [&] { return m.try_lock_until(std::chrono::time_point<steady, std::chrono::hours>::max()); },
        [&] { return m.try_lock_until(told_clock::time_point::max()); },
    };
    for (const auto& wait : waits) {
      SCOPED_TRACE(&wait - waits);
      m.lock();
      stage<TypeParam> parties;
      parties.go_free(kind::thread, [&] {
        const bool got = wait();
        EXPECT_TRUE(got);
        if (got) m.unlock();
      });
      await_waiters<TypeParam>(m, 1);
      m.unlock();
    }
    const std::function<bool()> tries[] = {
        [&] { return m.try_lock_for(std::chrono::hours::min()); },
        [&] { return m.try_lock_for(std::chrono::nanoseconds::min()); },
        [&] { return m.try_lock_for(std::chrono::duration<double>(-1e300)); },
        [&] { return m.try_lock_until(steady::time_point::min()); },
        [&] { return m.try_lock_until(wall::time_point::min()); },
        [&] { return m.try_lock_until(std::chrono::time_point<wall, std::chrono::hours>::min()); },
        [&] { return m.try_lock_until(told_clock::time_point::min()); },
    };
    m.lock();
    for (const auto& try_once : tries) {
      SCOPED_TRACE(&try_once - tries);
      stage<TypeParam> parties;
      parties.go_free(kind::thread, [&] { EXPECT_FALSE(try_once()); });
    }
    m.unlock();
    expect_free<TypeParam>(m);
  }
}

}  // namespace
}  // namespace conformance
