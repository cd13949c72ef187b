#include <mortise/cluster/lease_keeper.hpp>

#include <gtest/gtest.h>

namespace {

using namespace mortise::cluster;
using mortise::nanos;

constexpr nanos s = 1'000'000'000;

lease_reply reply_of(lease_id lease, nanos ttl) {
  lease_reply r;
  r.how = verdict::ok;
  r.lease = lease;
  r.ttl = ttl;
  return r;
}

struct kept_lease : testing::Test {
  lease_keeper keeper{{9 * s, s, s / 10}};
  void have(lease_id lease, nanos at) {
    const auto next = keeper.at(at);
    ASSERT_EQ(next.what, lease_keeper::order::grant);
    keeper.granted(next.number, reply_of(lease, 9 * s), at);
    ASSERT_EQ(keeper.lease(), lease);
  }
};

// The bug: the deadline is counted from the answer, and the store's comes first.
TEST_F(kept_lease, is_good_from_before_the_request_was_sent) {
  const auto next = keeper.at(0);
  keeper.granted(next.number, reply_of(7, 9 * s), 2 * s);  // it took two seconds
  EXPECT_EQ(keeper.good_until(), 8 * s);
  EXPECT_TRUE(keeper.is_good(8 * s - 1));
  EXPECT_FALSE(keeper.is_good(8 * s));
  const auto renewal = keeper.at(3 * s);
  ASSERT_EQ(renewal.what, lease_keeper::order::keep_alive);
  keeper.kept(renewal.number, reply_of(7, 6 * s), 4 * s);  // the store's TTL counts
  EXPECT_EQ(keeper.good_until(), 8 * s);                   // and a deadline is not taken back
  const auto another = keeper.at(keeper.wakes_at());
  keeper.kept(another.number, reply_of(7, 9 * s), 7 * s);
  EXPECT_EQ(keeper.good_until(), 6 * s + 8 * s);
}

// The bug: one lost renewal loses the lease; a late answer is taken for that of a later one.
TEST_F(kept_lease, is_renewed_three_times_in_its_time_and_more_often_in_trouble) {
  have(7, 0);
  EXPECT_EQ(keeper.wakes_at(), 3 * s);
  const auto first = keeper.at(3 * s);
  EXPECT_EQ(keeper.wakes_at(), 6 * s);
  keeper.kept(first.number, lease_reply{}, 4 * s);
  EXPECT_EQ(keeper.wakes_at(), 4 * s + s / 10);
  const auto second = keeper.at(4 * s + s / 10);
  ASSERT_EQ(second.what, lease_keeper::order::keep_alive);
  keeper.kept(first.number, reply_of(7, 9 * s), 5 * s);  // was answered already
  EXPECT_EQ(keeper.good_until(), 8 * s);
  keeper.kept(second.number, reply_of(7, 9 * s), 5 * s);
  keeper.kept(second.number, reply_of(7, 90 * s), 5 * s);
  EXPECT_EQ(keeper.good_until(), 12 * s + s / 10);
}

// The bug: a lease that does not exist is renewed for ever.
TEST_F(kept_lease, another_is_asked_for_when_there_is_none) {
  have(7, 0);
  keeper.kept(keeper.at(3 * s).number, reply_of(7, 0), 3 * s);
  EXPECT_EQ(keeper.lease(), 0);
  EXPECT_FALSE(keeper.is_good(3 * s));
  have(8, 3 * s);
  keeper.gone(7, 4 * s);  // an old one
  EXPECT_EQ(keeper.lease(), 8);
  keeper.doubted(8, 4 * s);
  EXPECT_EQ(keeper.wakes_at(), 4 * s);
  keeper.gone(8, 4 * s);
  have(9, 4 * s);
  lease_reply none;
  none.how = verdict::refused;
  none.no_such_lease = true;
  keeper.kept(keeper.at(8 * s).number, none, 8 * s);
  EXPECT_EQ(keeper.lease(), 0);
}

// The bug: why there is no lease is nowhere to be seen.
TEST_F(kept_lease, trouble_is_kept_until_it_is_over) {
  const auto next = keeper.at(0);
  lease_reply no;
  no.how = verdict::refused;
  no.text = "etcdserver: permission denied";
  keeper.granted(next.number, no, s);
  EXPECT_EQ(keeper.trouble(), "etcdserver: permission denied");
  EXPECT_EQ(keeper.wakes_at(), s + s / 10);
  have(7, 2 * s);
  EXPECT_EQ(keeper.trouble(), "");
}

}  // namespace
