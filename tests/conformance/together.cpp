// With the standard's lock holders: std::scoped_lock of many, std::unique_lock on its way through functions.
#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "broken_locks.hpp"
#include "parties.hpp"

namespace conformance {
namespace {

template <class Traits>
class together : public testing::Test {};
using together_locks = list_of<lockable, try_lock_waits, faultless>::types;
TYPED_TEST_SUITE(together, together_locks, lock_names);

// The bug: those who take several in opposite orders wait for each other, or the back-off leaves one locked.
TYPED_TEST(together, many_are_taken_in_opposite_orders) {
  typename TypeParam::lock a, b, c, d;
  std::mutex other;  // of another type, among them
  occupancy inside;
  unsigned started = 0;
  constexpr unsigned rounds = 600;
  {
    stage<TypeParam> parties;
    for (const kind k : blocking_kinds) {
      if (!serves<TypeParam>(k)) continue;
      // A fiber must not block its worker on a std::mutex that it may wait for: those leave it out.
      for (int way = 0; way < 4; ++way, ++started) {
        parties.go_free(k, [&, k, way] {
          for (unsigned i = 0; i < rounds; ++i) {
            if (way == 0) {
              const std::scoped_lock hold{a, b, c, d};
              inside.visit();
            } else if (way == 1) {
              const std::scoped_lock hold{d, c, b, a};
              inside.visit();
            } else if (way == 2 && k == kind::thread) {
              const std::scoped_lock hold{c, other, a, d, b};
              inside.visit();
            } else {
              std::lock(b, d);
              const std::lock_guard hold_b{b, std::adopt_lock};
              const std::lock_guard hold_d{d, std::adopt_lock};
              inside.visit();
            }
          }
        });
      }
    }
  }
  EXPECT_EQ(inside.crowded(), 0);
  EXPECT_EQ(inside.visits(), std::uint64_t{started} * rounds);
  for (auto* m : {&a, &b, &c, &d}) expect_free<TypeParam>(*m);
  EXPECT_TRUE(other.try_lock());
  other.unlock();
}

TYPED_TEST(together,
           try_lock_of_many_is_all_or_nothing) {  // the bug: those before the one that failed stay locked
  typename TypeParam::lock a, b, c;
  b.lock();
  std::jthread([&] { EXPECT_EQ(std::try_lock(a, b, c), 1); }).join();
  b.unlock();
  for (auto* m : {&a, &b, &c}) expect_free<TypeParam>(*m);
  EXPECT_EQ(std::try_lock(a, b, c), -1);
  for (auto* m : {&a, &b, &c}) m->unlock();
}

template <class Lock>
std::unique_lock<Lock> taken(Lock& m) {
  return std::unique_lock{m};
}

template <class Lock>
std::unique_lock<Lock> passed_through(std::unique_lock<Lock> hold, int depth) {
  EXPECT_TRUE(hold.owns_lock());
  return depth == 0 ? std::move(hold) : passed_through(std::move(hold), depth - 1);
}

// The bug: one of the functions on the way unlocks, or all of them do.
TYPED_TEST(together, unique_lock_goes_from_function_to_function) {
  typename TypeParam::lock m, other;
  for (int i = 0; i < 100; ++i) {
    auto hold = passed_through(taken(m), 5);
    std::jthread([&] { EXPECT_FALSE(m.try_lock()); }).join();
    std::unique_lock second{other};
    hold.swap(second);
    EXPECT_EQ(hold.mutex(), &other);
    hold = std::move(second);  // unlocks `other`
    expect_free<TypeParam>(other);
    std::vector<std::unique_lock<typename TypeParam::lock>> kept;
    kept.push_back(std::move(hold));
    EXPECT_FALSE(hold.owns_lock());
    kept.front().unlock();
    EXPECT_TRUE(kept.front().try_lock());
    kept.clear();
    expect_free<TypeParam>(m);
  }
}

}  // namespace
}  // namespace conformance
