// cluster::guarded on a store in memory, in real time. Several sessions in one process stand for several processes. Each case opens with the bug
// that it would show.
#include <mortise/cluster/guarded.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <mortise/cluster/errors.hpp>
#include <mortise/cluster/json/codec.hpp>
#include <mortise/cluster/session.hpp>
#include <mortise/task/go.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task.hpp>
#include <mortise/task/task_scope.hpp>

#include <support/foreign.hpp>

#include "memory_store.hpp"

namespace {

using namespace std::chrono_literals;
using namespace mortise::cluster;
using cluster_test::memory_store;
using mortise::outcome;
using counts = std::map<std::string, int>;

struct two_numbers {
  int a = 0, b = 0;
};

}  // namespace

template <>
struct mortise::cluster::codec<two_numbers> {
  static std::string encode(const two_numbers& t) { return std::to_string(t.a) + " " + std::to_string(t.b); }
  static two_numbers decode(std::string_view bytes) {
    two_numbers t;
    if (std::sscanf(std::string{bytes}.c_str(), "%d %d", &t.a, &t.b) != 2)
      throw std::invalid_argument{"two numbers"};
    return t;
  }
};

namespace {

void eventually(const auto& holds) {
  for (int i = 0; i < 5000 && !holds(); ++i) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(holds());
}
std::size_t queued(memory_store& s) {
  return s.look([](auto& server) { return server.count("state//q/"); });
}

// The bug: an update of one is overwritten by another's.
TEST(guarded, nothing_is_lost_among_processes_and_kinds) {
  memory_store store;
  session a{store}, b{store}, c{store};
  guarded<counts> in_a{a, "state"}, in_b{b, "state"}, in_c{c, "state"};
  constexpr int each = 40;
  {
    mortise::task_scope tasks;
    for (guarded<counts>* g : {&in_a, &in_b, &in_c}) {
      for (int t = 0; t < 5; ++t) {
        tasks.go([g] {
          for (int i = 0; i < each; ++i) g->update([](counts& m) { ++m["fibers"]; });
        });
        tasks.go([g]() -> mortise::task<> {
          for (int i = 0; i < each; ++i) co_await g->async_update([](counts& m) { ++m["coroutines"]; });
        });
      }
    }
    std::jthread thread{[&] {
      for (int i = 0; i < each; ++i) in_a.update([](counts& m) { ++m["threads"]; });
    }};
    tasks.join();
  }
  const counts all = in_b.read([](const counts& m) { return m; });
  EXPECT_EQ(all, (counts{{"fibers", 15 * each}, {"coroutines", 15 * each}, {"threads", each}}));
  eventually([&] { return queued(store) == 0; });
  const auto n = in_a.counted();
  EXPECT_EQ(n.updates, 11u * each);
  EXPECT_LT(n.commits, n.updates) << "those that meet share a commit";
}

// The bug: an update takes more round trips than it must.
TEST(guarded, an_uncontended_update_is_two_round_trips) {
  memory_store store;
  session a{store};
  guarded<counts> g{a, "state"};
  g.update([](counts& m) { m["x"] = 1; });
  for (int i = 0; i < 10; ++i) {
    const auto before = store.transactions.load();
    EXPECT_EQ(g.update([](counts& m) { return ++m["x"]; }), i + 2);
    EXPECT_EQ(store.transactions.load() - before, 2u);
  }
  const auto before = store.transactions.load();
  EXPECT_EQ(g.read([](const counts& m) { return m.at("x"); }), 11);
  EXPECT_EQ(g.read_stale([](const counts& m) { return m.at("x"); }), 11);
  EXPECT_EQ(store.transactions.load() - before, 2u);
}

// The bug: half of an update is there.
TEST(guarded, one_whose_closure_throws_changes_nothing) {
  memory_store store;
  session a{store};
  guarded<counts> g{a, "state", {{"x", 5}}};
  const auto spoil = [](counts& m) {
    m["x"] = 6;
    throw std::runtime_error{"no"};
  };
  EXPECT_THROW(g.update(spoil), std::runtime_error);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        if (t == 0) {
          EXPECT_THROW(g.update(spoil), std::runtime_error);
        } else {
          g.update([](counts& m) { ++m["y"]; });
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(g.read([](const counts& m) { return m; }), (counts{{"x", 5}, {"y", 60}}));
  eventually([&] { return queued(store) == 0; });
}

// The bug: an answer that was lost is taken for "done" or "not done".
TEST(guarded, an_unknown_commit_is_resolved) {
  memory_store store;
  session a{store};
  guarded<counts> g{a, "state"};
  g.update([](counts& m) { m["x"] = 1; });
  store.lose_replies = 1;
  int runs = 0;
  g.update([&](counts& m) { ++runs, ++m["x"]; });
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(g.read([](const counts& m) { return m.at("x"); }), 2);
  store.lose_requests = 1;
  g.update([&](counts& m) { ++runs, ++m["x"]; });
  EXPECT_EQ(runs, 3) << "it was done again";
  EXPECT_EQ(g.read([](const counts& m) { return m.at("x"); }), 3);
  const auto n = g.counted();
  EXPECT_EQ(n.unknown, 2u);
  EXPECT_EQ(n.resolved_applied, 1u);
  EXPECT_EQ(n.resolved_not_applied, 1u);
  EXPECT_EQ(n.unresolved, 0u);
}

// The bug: a holder that lost its lease commits.
TEST(guarded, who_lost_the_lock_changes_nothing_and_is_told) {
  memory_store store;
  session a{store, {.lease_ttl = 1h}}, b{store};
  guarded<counts> in_a{a, "state"}, in_b{b, "state"};
  in_a.update([](counts& m) { m["x"] = 1; });
  const auto pause_and_change = [&](counts& m) {
    store.look([](auto& s) { s.end_leases_until(mortise::never); });
    in_b.update([](counts& other) { other["x"] = 100; });
    ++m["x"];
  };
  EXPECT_THROW(in_a.update(pause_and_change), lost_error);
  EXPECT_EQ(in_a.try_update(pause_and_change).how, outcome::lost);
  EXPECT_EQ(in_a.read([](const counts& m) { return m.at("x"); }), 100);
  in_a.update([](counts& m) { ++m["x"]; });
  EXPECT_EQ(in_b.read([](const counts& m) { return m.at("x"); }), 101);
}

// The bug: a wait with a deadline keeps the key, or applies its update though it said no.
TEST(guarded, bounded_updates_end_and_leave_nothing) {
  memory_store store;
  session a{store}, b{store};
  guarded<counts> in_a{a, "state"}, in_b{b, "state"};
  in_a.update([&](counts& m) {
    m["x"] = 1;
    const auto r = in_b.try_update([](counts& x) { return ++x["x"]; },
                                   mortise::wait::bound{mortise::deadline_after(20ms)});
    EXPECT_EQ(r.how, outcome::timed_out);
    EXPECT_FALSE(r.value);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_EQ(in_b.try_update([](counts& x) { ++x["x"]; }, mortise::wait::bound{stop.get_token()}).how,
              outcome::stopped);
  });
  EXPECT_EQ(in_b.read([](const counts& m) { return m.at("x"); }), 1);
  const auto r = in_b.try_update([](counts& m) { return ++m["x"]; });
  EXPECT_TRUE(r);
  EXPECT_EQ(r.value, 2);
  eventually([&] { return queued(store) == 0; });
}

// The bug: a coroutine's update cannot be given up; or is given up while its commit is under way, and told the wrong thing.
TEST(guarded, coroutines_bound_their_updates) {
  memory_store store;
  session a{store}, b{store};
  guarded<counts> in_a{a, "state"}, in_b{b, "state"};
  const auto one = [](counts& m) { return ++m["x"]; };
  const auto nothing = [](counts&) {};
  mortise::task_scope tasks;
  tasks.go([&]() -> mortise::task<> {
    std::stop_source stop;
    stop.request_stop();
    const auto had = co_await in_b.async_update_for(10s, one);
    EXPECT_EQ(had.how, outcome::acquired);
    EXPECT_EQ(had.value, 1);
    const auto until = co_await in_b.async_update_until(std::chrono::system_clock::now() + 10s, nothing);
    EXPECT_TRUE(until);
    const auto stopped = co_await in_b.async_update_or_stop(stop.get_token(), one);
    EXPECT_TRUE(stopped.how == outcome::stopped || stopped.how == outcome::acquired);
  });
  tasks.join();
  const int so_far = in_b.read([](const counts& m) { return m.at("x"); });
  in_a.update([&](counts& m) {
    m["y"] = 1;
    mortise::task_scope waiting;
    waiting.go([&]() -> mortise::task<> {
      const auto r = co_await in_b.async_update_for(10ms, one);
      EXPECT_EQ(r.how, outcome::timed_out);
      EXPECT_FALSE(r.value);
      std::stop_source stop;
      std::jthread stopper{[&] {
        std::this_thread::sleep_for(10ms);
        stop.request_stop();
      }};
      const auto s = co_await in_b.async_update_or_stop(stop.get_token(), 10s, one);
      EXPECT_EQ(s.how, outcome::stopped);
    });
    waiting.join();
  });
  EXPECT_EQ(in_b.read([](const counts& m) { return m.at("x"); }), so_far);
  eventually([&] { return queued(store) == 0; });
}

// The bug: a deadline that comes while the commit is on its way ends the wait for what became of it.
TEST(guarded, a_commit_that_has_begun_is_waited_for) {
  memory_store store{20ms};
  session a{store};
  guarded<counts> g{a, "state"};
  a.require_lease(5s);
  std::atomic<int> told{0};
  for (int tries = 0; tries < 20 && told == 0; ++tries) {  // on a busy machine they may all be late
    mortise::task_scope tasks;
    for (int i = 0; i < 10; ++i) {
      tasks.go([&, i]() -> mortise::task<> {
        const std::chrono::milliseconds within{45 + 5 * i};  // an ask takes 40, and the commit 40 more
        const auto add = [](counts& m) { ++m["x"]; };
        const auto r = co_await g.async_update_for(within, add);
        EXPECT_TRUE(r.how == outcome::acquired || r.how == outcome::timed_out);
        told += r.how == outcome::acquired;
      });
    }
    tasks.join();
  }
  EXPECT_EQ(g.read([](const counts& m) { return m.empty() ? 0 : m.at("x"); }), told.load());
  EXPECT_GT(told, 0);
}

// The bug: who was the last to come goes away, and what others have joined is never committed.
TEST(guarded, what_was_joined_is_committed_though_the_last_one_leaves) {
  memory_store store;
  session a{store};
  guarded<counts> g{a, "state"};
  std::vector<std::jthread> threads;
  std::atomic<int> done{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        if (t % 2 == 0) {
          g.update([](counts& m) { ++m["x"]; });
          ++done;
        } else {
          const auto until =
              mortise::wait::bound{mortise::deadline_after(std::chrono::microseconds{i * 7 % 300})};
          if (g.try_update([](counts& m) { ++m["x"]; }, until)) ++done;
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(g.read([](const counts& m) { return m.at("x"); }), done.load());
  eventually([&] { return queued(store) == 0; });
}

// The bug: a coroutine that is destroyed while it waits keeps the key, or is written to when it is gone.
TEST(guarded, a_destroyed_frame_leaves_the_queue) {
  memory_store store;
  session a{store}, b{store};
  guarded<counts> in_a{a, "state"}, in_b{b, "state"};
  foreign::manual_executor where;  // who destroys a frame sees to it that it does not run at that moment
  const auto change = [&](guarded<counts>& g) -> foreign::coroutine {
    co_await g.async_update([](counts& m) { ++m["x"]; }, &where);
  };
  for (int i = 0; i < 20; ++i) {
    in_a.update([&](counts& m) {
      ++m["a"];
      auto one = change(in_b), two = change(in_b);
      std::this_thread::sleep_for(std::chrono::microseconds{100 * (i % 10)});
      if (i % 2 == 0) where.run_all();
      one.destroy();
      two.destroy();
    });
  }
  where.run_all();
  eventually([&] { return queued(store) == 0; });
  EXPECT_EQ(in_a.read([](const counts& m) { return m; }), (counts{{"a", 20}}));
}

// The bug: those who have joined wait for one who never comes.
TEST(guarded, one_who_never_runs_hangs_nobody) {
  memory_store store;
  session a{store};
  guarded<counts> g{a, "state"};
  foreign::manual_executor where;
  bool done = false;
  const auto change = [&]() -> foreign::detached {
    co_await g.async_update([](counts& m) { ++m["x"]; }, &where);
    done = true;
  };
  for (int i = 0; i < 5; ++i) {
    done = false;
    g.update([&](counts& m) {
      if (m["y"]++ <= i) change();  // queues behind this one, and does not come
    });
    eventually([&] {
      where.run_all();
      return done;
    });
  }
  const counts all = g.read([](const counts& m) { return m; });
  EXPECT_GE(all.at("x"), 5);
  EXPECT_EQ(all.at("y"), 5);
}

// The bug: what somebody else keeps under that key is overwritten.
TEST(guarded, a_foreign_value_is_refused_and_left_alone) {
  memory_store store;
  store.look([](auto& s) {
    transaction t;
    t.then = {put{"state//v", "{\"not\": \"ours\"}"}};
    s.apply(t);
  });
  session a{store};
  guarded<counts> g{a, "state"};
  EXPECT_THROW(g.update([](counts& m) { ++m["x"]; }), refused_error);
  EXPECT_THROW(g.read([](const counts&) {}), refused_error);
  EXPECT_EQ(store.look([](auto& s) { return *s.value("state//v"); }), "{\"not\": \"ours\"}");
  eventually([&] { return queued(store) == 0; });
}

// The bug: bytes that the codec does not understand take the key with them.
TEST(guarded, codecs_of_ones_own_and_what_they_throw) {
  memory_store store;
  session a{store};
  {
    guarded<two_numbers> g{a, "state"};
    g.update([](two_numbers& t) { t = {1, 2}; });
    EXPECT_EQ(g.read([](const two_numbers& t) { return t.a * 10 + t.b; }), 12);
  }
  guarded<std::string> as_text{a, "state"};
  EXPECT_EQ(as_text.read([](const std::string& s) { return s; }), "1 2");
  as_text.update([](std::string& s) { s = "one two"; });
  guarded<two_numbers> g{a, "state"};
  EXPECT_THROW(g.update([](two_numbers& t) { ++t.a; }), std::invalid_argument);
  EXPECT_THROW(g.read([](const two_numbers&) {}), std::invalid_argument);
  as_text.update([](std::string& s) { s = "3 4"; });
  g.update([](two_numbers& t) { ++t.a; });
  EXPECT_EQ(as_text.read([](const std::string& s) { return s; }), "4 4");
}

TEST(guarded, a_commit_that_the_store_refuses_is_told) {
  memory_store store;
  session a{store};
  guarded<counts> g{a, "state"};
  EXPECT_THROW(g.update([&](counts& m) {
    store.refuse = 1;
    ++m["x"];
  }),
               refused_error);
  g.update([](counts& m) { ++m["x"]; });
  EXPECT_EQ(g.read([](const counts& m) { return m.at("x"); }), 1);
  eventually([&] { return queued(store) == 0; });
}

TEST(guarded, coroutines_read) {
  memory_store store;
  session a{store};
  guarded<counts> g{a, "state"};
  mortise::task_scope tasks;
  tasks.go([&]() -> mortise::task<> {
    co_await g.async_update([](counts& m) { m["x"] = 3; });
    EXPECT_EQ(co_await g.async_read([](const counts& m) { return m.at("x"); }), 3);
    bool caught = false;
    try {
      co_await g.async_update([](counts&) { throw std::logic_error{"no"}; });
    } catch (const std::logic_error&) {
      caught = true;
    }
    EXPECT_TRUE(caught);
  });
  tasks.join();
}

}  // namespace
