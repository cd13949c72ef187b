// Thousands in one queue, of all kinds: each is served, each once.
#include <gtest/gtest.h>

#include <vector>

#include <mortise/base/sanitizers.hpp>

#include "broken_locks.hpp"
#include "parties.hpp"

namespace conformance {
namespace {

constexpr unsigned of_a_light_kind = MORTISE_TSAN ? 240 : MORTISE_ASAN ? 400 : 2'000;  // fibers, coroutines
constexpr unsigned threads = MORTISE_TSAN || MORTISE_ASAN ? 16 : 40;

template <class Traits>
class crowd : public testing::Test {};
using crowd_locks = list_of<any, counts_in_a_byte, faultless>::types;
TYPED_TEST_SUITE(crowd, crowd_locks, lock_names);

TYPED_TEST(crowd,
           is_served_to_the_last_and_each_once) {  // the bug: a wake lost among many, or a waiter woken twice
  typename TypeParam::lock m;
  std::atomic<bool> held{false}, go_on{false};
  std::vector<int> served;  // guarded by m
  stage<TypeParam> parties;
  parties.go(kind::thread, m, [&] {
    held.store(true, std::memory_order_release);
    await(go_on);
  });
  await(held);
  unsigned n = 0;
  for (const kind k : all_kinds) {
    if (!serves<TypeParam>(k)) continue;
    const bool heavy = k == kind::thread || k == kind::foreign_context;
    for (unsigned i = 0; i < (heavy ? threads : of_a_light_kind); ++i, ++n) {
      parties.go(k, m, [&served, n] { ++served[n]; });
    }
  }
  served.resize(n);
  await_waiters<TypeParam>(m, n);
  go_on.store(true, std::memory_order_release);
  parties.join();
  for (unsigned i = 0; i < n; ++i) ASSERT_EQ(served[i], 1) << "party " << i << " of " << n;
  expect_free<TypeParam>(m);
}

}  // namespace
}  // namespace conformance
