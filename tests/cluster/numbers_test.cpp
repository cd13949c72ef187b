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
// All that have had the key have given it back and been told so. There are more of them than first acquisitions if somebody was too late for
// what he had asked for, for want of a processor.
void await_the_end_of_tenures(const mutex& m) {
  eventually([&] {
    const numbers n = m.counted();
    return n.local_handovers + n.kept.count() >= n.acquisitions;
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
    EXPECT_GE(n.local_handovers + n.kept.count(), n.acquisitions) << "the first of each tenure is none";
    EXPECT_LE(n.kept.count(), n.tenures);
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
  mutex in_a{a, "jobs", {.time = 1h}}, in_b{b, "jobs"};
  for (int i = 0; i < 20; ++i) const std::lock_guard hold{in_a};
  EXPECT_EQ(in_a.counted().tenures, 20u);
  EXPECT_EQ(in_a.counted().local_handovers + in_a.counted().remote_handovers, 0u);
  // The key is given back all the same if the second party has not come yet, or has no processor for 10 ms. Then it comes from the other.
  bool was_local = false;
  for (int tries = 0; tries < 100 && !was_local; ++tries) {
    const numbers before = in_a.counted(), before_b = in_b.counted();
    in_a.lock();
    std::jthread same{[&] { const std::lock_guard hold{in_a}; }};
    std::jthread other{[&] { const std::lock_guard hold{in_b}; }};
    eventually([&] { return store.look([](auto& s) { return s.count("jobs//q/"); }) == 2; });
    in_a.unlock();
    same.join();
    other.join();
    const numbers n = in_a.counted(), n_b = in_b.counted();
    was_local = n.local_handovers == before.local_handovers + 1;
    EXPECT_EQ(n.remote_handovers - before.remote_handovers, was_local ? 0u : 1u);
    EXPECT_EQ(n_b.remote_handovers, before_b.remote_handovers + 1);
    EXPECT_EQ(n_b.local_handovers, 0u);
    eventually([&] { return store.look([](auto& s) { return s.count("jobs//q/"); }) == 0; });
  }
  EXPECT_TRUE(was_local);
}

// The bug: waiting is counted as holding, or from the wrong moment.
TEST(numbers, wait_and_hold_are_what_parties_waited_and_held) {
  using mortise::now_ns;
  bool has_waited = false;
  for (int tries = 0; tries < 100 && !has_waited; ++tries) {
    memory_store store;
    session a{store};
    mutex m{a, "jobs"};
    mortise::nanos asks = now_ns(), waited = 0, left = 0;
    m.lock();
    const mortise::nanos has = now_ns();
    std::jthread waiter{[&] {
      const mortise::nanos comes = now_ns();
      m.lock();
      waited = now_ns() - comes;
      m.unlock();
      left = now_ns();
    }};
    std::this_thread::sleep_for(40ms);
    const mortise::nanos gives = now_ns();
    m.unlock();
    const mortise::nanos given = now_ns();
    waiter.join();
    await_the_end_of_tenures(m);
    const numbers n = m.counted();
    EXPECT_EQ(n.wait.count(), 2u);
    EXPECT_GE(n.hold.longest_ns(), 40'000'000u);
    EXPECT_LE(n.hold.sum_ns(), static_cast<std::uint64_t>(given - asks + left - gives))
        << "the waiter held it after that";
    EXPECT_LE(n.wait.sum_ns(), static_cast<std::uint64_t>(has - asks + waited));
    EXPECT_GE(n.kept.longest_ns(), n.hold.longest_ns());
    has_waited = n.wait.longest_ns() >= 10'000'000u;  // if it was not late itself
  }
  EXPECT_TRUE(has_waited);
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
  store.ends_leases = false;  // however late a renewal comes
  session a{store, {.lease_ttl = 600ms}};
  a.require_lease(5s);
  mortise::cluster::lease_numbers fresh;
  eventually([&] {
    fresh = a.counted().lease;
    return fresh.renewals >= 2 && fresh.good_for > 0;
  });
  EXPECT_EQ(fresh.leases, 1u);
  EXPECT_GT(fresh.age, 0);
  store.keeps_alive = false;
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
