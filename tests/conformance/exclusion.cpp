// One holder at a time, whoever comes: every pair of (holder, waiter), and all kinds at once.
#include <gtest/gtest.h>

#include "broken_locks.hpp"
#include "parties.hpp"

namespace conformance {
namespace {

template <class Traits>
class exclusion : public testing::Test {};
using exclusion_locks = list_of<any, no_exclusion>::types;
TYPED_TEST_SUITE(exclusion, exclusion_locks, lock_names);

TYPED_TEST(exclusion, one_holder_at_a_time) {  // the bug: two in the section
  typename TypeParam::lock m;
  occupancy inside;
  stage<TypeParam> parties;
  constexpr unsigned rounds = 5'000;
  for (int i = 0; i < 4; ++i) parties.go(kind::thread, m, [&] { inside.visit(); }, rounds);
  parties.join();
  EXPECT_EQ(inside.crowded(), 0);
  EXPECT_EQ(inside.visits(), 4u * rounds);
  expect_free<TypeParam>(m);
}

// The bug: an update lost between kinds. Some holders give their core away in the section, and may go on elsewhere.
TYPED_TEST(exclusion, nothing_is_lost_among_all_kinds) {
  for (const unsigned workers : {1u, 2u, 4u}) {
    SCOPED_TRACE(workers);
    typename TypeParam::lock m;
    occupancy inside;
    std::uint64_t expected = 0;
    stage<TypeParam> parties{workers};
    constexpr unsigned rounds = 120;
    for (const kind k : all_kinds) {
      if (!serves<TypeParam>(k)) continue;
      for (int i = 0; i < 3; ++i) parties.go(k, m, [&] { inside.visit(); }, rounds);
      parties.go(k, m, [&] { inside.visit_slowly(); }, rounds / 4);
      expected += 3 * rounds + rounds / 4;
    }
    parties.join();
    EXPECT_EQ(inside.crowded(), 0);
    EXPECT_EQ(inside.visits(), expected);
    expect_free<TypeParam>(m);
  }
}

template <class Traits, class F>
void for_all_pairs(F f) {
  for (const kind holder : all_kinds) {
    for (const kind waiter : all_kinds) {
      if (!serves<Traits>(holder) || !serves<Traits>(waiter)) continue;
      SCOPED_TRACE(testing::Message() << name_of(holder) << " before " << name_of(waiter));
      f(holder, waiter);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

template <class Traits>
class pairs : public testing::Test {};
using pairs_locks = list_of<any, no_exclusion, deaf_to_fibers, faultless>::types;
TYPED_TEST_SUITE(pairs, pairs_locks, lock_names);

// The bug: a kind of holder that forgets to wake a kind of waiter, or a section that the next one does not see.
TYPED_TEST(pairs, holder_hands_over_to_waiter) {
  stage<TypeParam> parties;
  for_all_pairs<TypeParam>([&](kind holder, kind waiter) {
    for (int round = 0; round < 3; ++round) {
      typename TypeParam::lock m;
      std::atomic<bool> held{false}, go_on{false};
      int written = 0, seen = 0;  // guarded by m
      parties.go(holder, m, [&] {
        held.store(true, std::memory_order_release);
        await(go_on);
        written = 1;
      });
      await(held);
      parties.go(waiter, m, [&] {
        seen = written;
        written = 2;
      });
      await_waiters<TypeParam>(m, 1);
      go_on.store(true, std::memory_order_release);
      parties.join();
      ASSERT_EQ(seen, 1);
      ASSERT_EQ(written, 2);
      expect_free<TypeParam>(m);
    }
  });
}

TYPED_TEST(pairs, two_take_turns) {  // the bug: two kinds that do not see each other as holders
  stage<TypeParam> parties;
  for_all_pairs<TypeParam>([&](kind one, kind other) {
    typename TypeParam::lock m;
    occupancy inside;
    constexpr unsigned rounds = 20;
    parties.go(one, m, [&] { inside.visit_slowly(); }, rounds);
    parties.go(other, m, [&] { inside.visit_slowly(); }, rounds);
    parties.join();
    ASSERT_EQ(inside.crowded(), 0);
    ASSERT_EQ(inside.visits(), 2u * rounds);
  });
}

template <class Traits>
class timed_pairs : public testing::Test {};
using timed_pairs_locks = list_of<timed, stays_queued, leaks_to_the_late, faultless>::types;
TYPED_TEST_SUITE(timed_pairs, timed_pairs_locks, lock_names);

// The bug: one who gave up is still in the queue, is handed the lock, and nobody has it.
TYPED_TEST(timed_pairs, waiter_that_times_out_leaves_it_usable) {
  stage<TypeParam> parties;
  for_all_pairs<TypeParam>([&](kind holder, kind waiter) {
    if (waiter == kind::task || waiter == kind::foreign_coroutine) return;  // they have no bounded wait
    typename TypeParam::lock m;
    std::atomic<bool> held{false}, go_on{false}, gave_up{false};
    int turns = 0;  // guarded by m
    parties.go(holder, m, [&] {
      held.store(true, std::memory_order_release);
      await(go_on);
      ++turns;
    });
    await(held);
    parties.go_free(waiter, [&] {
      const bool got = m.try_lock_for(std::chrono::microseconds(500));
      EXPECT_FALSE(got);
      if (got) m.unlock();
      gave_up.store(true, std::memory_order_release);
    });
    await(gave_up);
    if constexpr (TypeParam::waiters_known) ASSERT_EQ(TypeParam::waiters(m), 0u);
    parties.go(waiter, m, [&] { ++turns; });
    await_waiters<TypeParam>(m, 1);
    go_on.store(true, std::memory_order_release);
    parties.join();
    ASSERT_EQ(turns, 2);
    expect_free<TypeParam>(m);
  });
}

// The bug: a wake is spent on a deadline that has passed, and the one behind it sleeps for ever.
TYPED_TEST(timed_pairs, deadlines_and_grants_race_and_nothing_is_leaked) {
  for (const unsigned workers : {1u, 2u, 4u}) {
    SCOPED_TRACE(workers);
    typename TypeParam::lock m;
    std::uint64_t taken = 0;  // guarded by m
    mortise::counter said_taken, said_timed_out;
    std::uint64_t parties_started = 0;
    constexpr unsigned rounds = 100;
    {
      stage<TypeParam> parties{workers};
      auto body = [&](unsigned seed) {
        for (unsigned k = 0; k < rounds; ++k) {
          if (m.try_lock_for(std::chrono::nanoseconds((seed * 7919 + k * 104729) % 60'000))) {
            ++taken;
            if (k % 8 == 0) mortise::sleep_for(std::chrono::microseconds(10));
            m.unlock();
            ++said_taken;
          } else {
            ++said_timed_out;
          }
        }
      };
      for (const kind k : blocking_kinds) {
        if (!serves<TypeParam>(k)) continue;
        for (unsigned i = 0; i < (k == kind::fiber || k == kind::boost_fiber ? 12 : 3);
             ++i, ++parties_started) {
          parties.go_free(k, [&body, seed = 100 * static_cast<unsigned>(k) + i] { body(seed); });
        }
      }
    }
    EXPECT_EQ(said_taken.value(), taken);
    EXPECT_EQ(said_taken.value() + said_timed_out.value(), parties_started * rounds);
    expect_free<TypeParam>(m);
  }
}

}  // namespace
}  // namespace conformance
