// What locks of the cluster count, on a store in memory. Each case opens with the bug that it would show.
#include <mortise/cluster/numbers.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <mortise/cluster/errors.hpp>
#include <mortise/cluster/guarded.hpp>
#include <mortise/cluster/json/codec.hpp>
#include <mortise/cluster/json/numbers.hpp>
#include <mortise/cluster/mutex.hpp>
#include <mortise/cluster/session.hpp>
#include <mortise/task/task.hpp>
#include <mortise/task/task_scope.hpp>

#include "memory_store.hpp"

namespace {

using namespace std::chrono_literals;
using cluster_test::memory_store;
using mortise::cluster::numbers;
using mortise::cluster::session;
using mutex = mortise::cluster::mutex;
using counts = std::map<std::string, int>;
using guarded = mortise::cluster::guarded<counts>;

void eventually(const auto& holds) {
  for (int i = 0; i < 5000 && !holds(); ++i) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(holds());
}
// All that have had the key have given it back and been told so.
void await_the_end_of_tenures(const mutex& m) {
  eventually([&] {
    const numbers n = m.counted();
    return n.local_handovers + n.kept.count() == n.acquisitions;
  });
}

// The bug: one of many is counted twice or not at all, or only those of one kind of party are.
TEST(numbers, are_exact_among_processes_and_kinds) {
  memory_store store;
  session a{store}, b{store};
  mutex in_a{a, "jobs"}, in_b{b, "jobs"};
  constexpr int each = 30;
  {
    mortise::task_scope tasks;
    for (mutex* m : {&in_a, &in_b}) {
      for (int t = 0; t < 4; ++t) {
        tasks.go([m] {
          for (int i = 0; i < each; ++i) const std::lock_guard hold{*m};
        });
        tasks.go([m]() -> mortise::task<> {
          for (int i = 0; i < each; ++i) const auto hold = co_await m->async_lock();
        });
      }
    }
    std::jthread thread{[&] {
      for (int i = 0; i < each; ++i) {
        while (!in_a.try_lock()) {}
        in_a.unlock();
      }
    }};
    tasks.join();
  }
  await_the_end_of_tenures(in_a);
  await_the_end_of_tenures(in_b);
  const numbers of_a = in_a.counted(), of_b = in_b.counted();
  EXPECT_EQ(of_a.acquisitions, 9u * each);
  EXPECT_EQ(of_b.acquisitions, 8u * each);
  for (const numbers& n : {of_a, of_b}) {
    EXPECT_EQ(n.wait.count(), n.acquisitions);
    EXPECT_EQ(n.hold.count(), n.acquisitions);
    EXPECT_EQ(n.local_handovers + n.kept.count(), n.acquisitions) << "the first of each tenure is none";
    EXPECT_GT(n.local_handovers, 0u);
    EXPECT_LE(n.remote_handovers, n.kept.count());
    EXPECT_EQ(n.lost + n.refused, 0u);
  }
  EXPECT_GT(of_a.remote_handovers + of_b.remote_handovers, 0u);
}

// The bug: a key that this process still gives back is taken for another's, or a free one for one that was handed over.
TEST(numbers, handovers_are_told_apart) {
  memory_store store{2ms};
  session a{store}, b{store};
  mutex in_a{a, "jobs"}, in_b{b, "jobs"};
  for (int i = 0; i < 20; ++i) const std::lock_guard hold{in_a};
  EXPECT_EQ(in_a.counted().tenures, 20u);
  EXPECT_EQ(in_a.counted().local_handovers + in_a.counted().remote_handovers, 0u);
  in_a.lock();
  std::jthread same{[&] { const std::lock_guard hold{in_a}; }};
  std::jthread other{[&] { const std::lock_guard hold{in_b}; }};
  eventually([&] { return store.look([](auto& s) { return s.count("jobs//q/"); }) == 2; });
  std::this_thread::sleep_for(20ms);
  in_a.unlock();
  same.join();
  other.join();
  EXPECT_EQ(in_a.counted().local_handovers, 1u);
  EXPECT_EQ(in_a.counted().remote_handovers, 0u);
  EXPECT_EQ(in_b.counted().remote_handovers, 1u);
  EXPECT_EQ(in_b.counted().local_handovers, 0u);
}

// The bug: waiting is counted as holding, or from the wrong moment.
TEST(numbers, wait_and_hold_are_what_parties_waited_and_held) {
  memory_store store;
  session a{store};
  mutex m{a, "jobs"};
  m.lock();
  std::jthread waiter{[&] { const std::lock_guard hold{m}; }};
  std::this_thread::sleep_for(40ms);
  m.unlock();
  waiter.join();
  await_the_end_of_tenures(m);
  const numbers n = m.counted();
  EXPECT_EQ(n.wait.count(), 2u);
  EXPECT_GE(n.hold.longest_ns(), 40'000'000u);
  EXPECT_LE(n.hold.sum_ns() - n.hold.longest_ns(), n.hold.longest_ns()) << "the waiter held it briefly";
  EXPECT_GE(n.wait.longest_ns(), 10'000'000u);
  EXPECT_GE(n.kept.longest_ns(), n.hold.longest_ns());
}

// The bug: what became of a commit without an answer is not told, or under the wrong name.
TEST(numbers, unknown_commits_are_told_by_how_they_were_resolved) {
  memory_store store;
  session a{store, {.resolve_within = 1ms}};
  guarded g{a, "jobs"};
  const auto one = [](counts& m) { ++m["x"]; };
  store.lose_replies = 1;
  g.update(one);
  numbers n = g.counted();
  EXPECT_EQ(n.unknown, 1u);
  EXPECT_EQ(n.resolved_applied, 1u);
  EXPECT_EQ(n.updates_again, 0u);
  store.lose_requests = 1;
  g.update(one);
  n = g.counted();
  EXPECT_EQ(n.unknown, 2u);
  EXPECT_EQ(n.resolved_not_applied, 1u);
  EXPECT_EQ(n.updates_again, 1u);
  EXPECT_EQ(n.unresolved + n.updates_unknown, 0u);
  EXPECT_EQ(n.updates, 2u);
  EXPECT_EQ(n.commits, 2u);
}

// The bug: who lost the lock counts as one who updated; a lease that went away is not seen in the numbers.
TEST(numbers, losses_are_counted_and_so_are_leases) {
  memory_store store;
  session a{store};
  guarded g{a, "jobs"};
  a.require_lease(5s);
  EXPECT_EQ(g.try_update([&](counts& m) {
               ++m["x"];
               store.look([](auto& s) { s.end_leases_until(mortise::never); });
             }).how,
            mortise::outcome::lost);
  eventually([&] { return a.counted().lease.leases == 2; });
  const auto all = a.counted();
  EXPECT_EQ(all.lease.gone, 1u);
  EXPECT_EQ(all.locks.at("jobs").lost, 1u);
  EXPECT_EQ(all.locks.at("jobs").updates_lost, 1u);
  EXPECT_EQ(all.locks.at("jobs").updates, 0u);
  store.refuse = 1;
  EXPECT_THROW(g.update([](counts&) {}), mortise::cluster::refused_error);
  eventually([&] { return g.counted().refused == 1; });
  EXPECT_EQ(g.counted().lost, 1u) << "what the store refuses is not lost";
}

TEST(numbers, the_age_of_a_lease_is_since_its_last_renewal) {
  memory_store store;
  session a{store, {.lease_ttl = 600ms}};
  a.require_lease(5s);
  eventually([&] { return a.counted().lease.renewals >= 2; });
  const auto fresh = a.counted().lease;
  EXPECT_EQ(fresh.leases, 1u);
  EXPECT_GT(fresh.age, 0);
  EXPECT_GT(fresh.good_for, 0);
  store.keeps_alive = false;
  store.ends_leases = false;
  eventually([&] { return a.counted().lease.good_for == 0; });
  const auto old = a.counted().lease;
  EXPECT_GE(old.age, 540'000'000) << "the TTL less the margin";
  EXPECT_GT(old.failures, 0u);
}

// The bug: what a lock has counted goes with it, or two of one name overwrite each other.
TEST(numbers, of_a_session_are_those_of_all_its_locks) {
  memory_store store;
  session a{store};
  {
    mutex one{a, "jobs"};
    one.lock();
    one.unlock();
  }
  mutex two{a, "jobs"}, three{a, "jobs"}, other{a, "other"};
  for (mutex* m : {&two, &three, &other}) {
    m->lock();
    m->unlock();
  }
  const auto all = a.counted();
  EXPECT_EQ(all.locks.size(), 2u);
  EXPECT_EQ(all.locks.at("jobs").acquisitions, 3u);
  EXPECT_EQ(all.locks.at("jobs").wait.count(), 3u);
  EXPECT_EQ(all.locks.at("other").acquisitions, 1u);
}

// The bug: a reader sees fewer than before, because a lock was just then destroyed.
TEST(numbers, never_become_less) {
  memory_store store;
  session a{store};
  std::jthread uses{[&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      mutex m{a, "jobs"};
      const std::lock_guard hold{m};
    }
  }};
  std::uint64_t last = 0;
  while (last < 50) {
    const auto all = a.counted().locks;
    const auto it = all.find("jobs");
    const std::uint64_t now = it == all.end() ? 0 : it->second.acquisitions;
    EXPECT_GE(now, last);
    last = now;
  }
}

TEST(numbers, as_json) {
  memory_store store;
  session a{store};
  guarded g{a, "jobs"};
  g.update([](counts& m) { ++m["x"]; });
  const nlohmann::ordered_json j = a.counted();
  EXPECT_EQ(j["locks"]["jobs"]["updates"], 1);
  EXPECT_EQ(j["locks"]["jobs"]["wait_ns"]["count"], 1);
  EXPECT_EQ(j["lease"]["leases"], 1);
  const nlohmann::json unordered = g.counted();
  EXPECT_EQ(unordered["commits"], 1);
}

}  // namespace
