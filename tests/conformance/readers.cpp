// Readers and writers of every kind at one lock.
#include <gtest/gtest.h>

#include <shared_mutex>

#include "parties.hpp"

namespace conformance {
namespace {

// The readers of a lock whose writers are `Writers`.
template <class Writers>
struct readers_of : Writers {
  template <class Lock, class F>
  static void section(Lock& m, F&& f) {
    const std::shared_lock hold{m};
    f();
  }
  static auto async_hold(typename Writers::lock& m, mortise::wait::executor* where) {
    if constexpr (Writers::asynchronous) return m.async_lock_shared(where);
  }
};

template <class Traits>
class readers : public testing::Test {};
using shared_locks =
    testing::Types<std_shared_timed_mutex, mortise_shared_mutex, mortise_shared_mutex_with_slots>;
TYPED_TEST_SUITE(readers, shared_locks, lock_names);

// The bug: a reader of one kind is beside a writer of another.
TYPED_TEST(readers, of_all_kinds_see_whole_values) {
  constexpr unsigned rounds = 300;
  typename TypeParam::lock m;
  std::uint64_t first = 0, second = 0;  // guarded by m
  std::atomic<bool> torn{false};
  unsigned writers = 0;
  {
    stage<readers_of<TypeParam>> looking;
    stage<TypeParam> changing;
    for (const kind k : all_kinds) {
      if (!serves<TypeParam>(k)) continue;
      for (int i = 0; i < 2; ++i) {
        looking.go(
            k, m,
            [&, n = 0]() mutable {
              const auto seen = first;
              if (++n % 16 == 0) mortise::yield();
              if (seen != second) torn.store(true);
            },
            rounds);
      }
      changing.go(
          k, m,
          [&, n = 0]() mutable {
            ++first;
            if (++n % 16 == 0) mortise::yield();
            ++second;
          },
          rounds);
      ++writers;
    }
  }
  EXPECT_FALSE(torn.load());
  EXPECT_EQ(first, writers * rounds);
  EXPECT_EQ(second, first);
  expect_free<TypeParam>(m);
}

}  // namespace
}  // namespace conformance
