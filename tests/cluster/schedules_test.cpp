// The policy of the cluster scope under random schedules in simulated time: requests and replies are delayed, lost, doubled, answered after
// they were given up; leases end at any step; processes are stopped, killed, and their clocks jump. A seed that fails is printed;
// `cluster_schedules --seed N` shows it again.
#include <gtest/gtest.h>

#include <cstdlib>

#include <mortise/base/sanitizers.hpp>

#include "schedule.hpp"

namespace {

using namespace cluster_test;

std::uint64_t count_from_environment(std::uint64_t otherwise) {
  const char* n = std::getenv("MORTISE_SCHEDULES");
  return n == nullptr ? otherwise : std::strtoull(n, nullptr, 10);
}

// How many of the first `n` seeds are found out.
int found_out(control broken, std::uint64_t n) {
  int found = 0;
  for (std::uint64_t seed = 1; seed <= n; ++seed) found += !run_schedule(seed, broken).complaint.empty();
  return found;
}

// The bug: whatever the protocol forgets. Mutual exclusion of commits, no update lost or done twice, every one applied or reported as
// unknown, first come first served, no key left behind, nobody hangs.
TEST(schedules, nothing_is_lost_done_twice_or_left_behind) {
  const std::uint64_t n = count_from_environment(mortise::sanitized ? 2000 : 20'000);
  history sum;
  for (std::uint64_t seed = 1; seed <= n; ++seed) {
    const auto v = run_schedule(seed);
    ASSERT_EQ(v.complaint, "") << "seed " << seed;
    sum.applied += v.what.applied;
    sum.lost += v.what.lost;
    sum.stale += v.what.stale;
    sum.unknown += v.what.unknown;
    sum.not_applied += v.what.not_applied;
    sum.abandoned += v.what.abandoned;
  }
  // They are worth little if nothing happens in them.
  EXPECT_GT(sum.applied, n);
  EXPECT_GT(sum.lost, n / 100);
  EXPECT_GT(sum.unknown, n / 100);
  EXPECT_GT(sum.not_applied, n / 100);
  EXPECT_GT(sum.abandoned, n / 100);
  RecordProperty("applied", std::to_string(sum.applied));
}

TEST(schedules, a_seed_is_a_schedule) {
  for (const std::uint64_t seed : {3u, 77u, 1234u}) {
    const auto a = run_schedule(seed), b = run_schedule(seed);
    EXPECT_EQ(a.events, b.events);
    EXPECT_EQ(a.took, b.took);
  }
}

TEST(schedules_control, an_unfenced_put_is_found_out) {
  EXPECT_GT(found_out(control::unfenced_put, 1000), 10);
}
TEST(schedules_control, an_unresolved_unknown_is_found_out) {
  EXPECT_GT(found_out(control::unresolved_unknown, 1000), 10);
}
TEST(schedules_control, a_trusted_deadline_is_found_out) {
  EXPECT_GT(found_out(control::trusted_deadline, 1000), 10);
}
TEST(schedules_control, an_ask_that_comes_late_is_found_out) {
  EXPECT_GT(found_out(control::no_fence, 1000), 0);
}
TEST(schedules_control, a_server_that_is_behind_is_found_out) {
  EXPECT_GT(found_out(control::trusted_read, 1000), 0);
}

}  // namespace
