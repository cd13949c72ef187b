// cluster::mutex on a store in memory, in real time. Several sessions in one process stand for several processes. Each case opens with the bug
// that it would show.
#include <mortise/cluster/mutex.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include <mortise/cluster/errors.hpp>
#include <mortise/cluster/session.hpp>
#include <mortise/insight/dump.hpp>
#include <mortise/task/go.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task.hpp>
#include <mortise/task/task_scope.hpp>
#include <support/foreign.hpp>
#include <support/tired_context.hpp>
#include <support/wait_ledger.hpp>

#include "memory_store.hpp"

namespace {

using namespace std::chrono_literals;
using cluster_test::memory_store;
using mortise::outcome;
using mortise::cluster::session;
using mutex = mortise::cluster::mutex;

std::size_t queued(memory_store& s) {
  return s.look([](auto& server) { return server.count("jobs//q/"); });
}
void eventually(const auto& holds) {
  for (int i = 0; i < 5000 && !holds(); ++i) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(holds());
}

// The bug: two processes are inside at once; one that waits is not told.
TEST(mutex, one_holder_among_processes) {
  memory_store store;
  session a{store}, b{store}, c{store};
  mutex in_a{a, "jobs"}, in_b{b, "jobs"}, in_c{c, "jobs"};
  int inside = 0, entries = 0;
  mortise::token last = 0;
  std::vector<std::jthread> threads;
  for (mutex* m : {&in_a, &in_b, &in_c}) {
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, m] {
        for (int i = 0; i < 30; ++i) {
          const std::lock_guard hold{*m};
          EXPECT_EQ(++inside, 1);
          EXPECT_GE(m->token(), last);
          last = m->token();
          ++entries;
          --inside;
        }
      });
    }
  }
  threads.clear();
  EXPECT_EQ(entries, 270);
  eventually([&] { return queued(store) == 0; });
}

// The bug: a younger key is served before an older one.
TEST(mutex, first_come_first_served) {
  memory_store store;
  session a{store}, b{store}, c{store}, d{store};
  mutex first{a, "jobs"}, second{b, "jobs"}, third{c, "jobs"}, fourth{d, "jobs"};
  first.lock();
  std::vector<int> order;
  std::mutex guard;
  std::vector<std::jthread> threads;
  int n = 1;
  for (mutex* m : {&second, &third, &fourth}) {
    threads.emplace_back([&, m, n] {
      const std::lock_guard hold{*m};
      const std::lock_guard writing{guard};
      order.push_back(n);
    });
    ++n;
    eventually([&] { return queued(store) == static_cast<std::size_t>(n); });
  }
  first.unlock();
  threads.clear();
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

// The bug: who waits is in no dump once he stands for his process, or has a number instead of a name.
TEST(mutex, who_waits_is_in_a_dump_once_whatever_he_waits_for_inside) {
  using mortise::insight::dump;
  const auto seen = [](const std::string& part) { return dump().find(part) != std::string::npos; };
  mortise::insight::watch_waits(mortise::insight::stacks::left_out);
  const auto& told = mortise::test::wait_ledger::begin();
  memory_store store;
  session a{store}, b{store};
  mutex in_a{a, "jobs"}, in_b{b, "jobs"};
  in_a.lock();
  const int begun = told.begun();
  // The first stands for the process, the others behind him.
  std::jthread first{[&] { const std::lock_guard hold{in_b}; }};
  eventually([&] { return queued(store) == 2; });
  mortise::task_scope tasks;
  tasks.go([&] { const std::lock_guard hold{in_b}; });
  tasks.go([&]() -> mortise::task<> { const auto hold = co_await in_b.async_lock_for(1h); });
  std::atomic<bool> came{false};
  const auto go = [](mutex& m, std::atomic<bool>& there) -> foreign::detached {
    const auto hold = co_await m.async_lock();
    there = true;
  };
  {
    const foreign::tired here;  // gives way before it waits
    go(in_b, came);
  }
  eventually([&] { return seen("mortise: 4 parties wait\n"); });
  eventually([&] { return seen(" wait for cluster mutex 'jobs', "); });
  EXPECT_FALSE(seen(" mutex 0x"));
  EXPECT_EQ(told.begun(), begun + 4);
  in_a.unlock();
  tasks.join();
  eventually([&] { return came.load(); });
  first.join();
  eventually([&] { return seen("mortise: 0 parties wait\n"); });
  EXPECT_EQ(told.wrong(), 0);
  mortise::insight::ignore_waits(mortise::insight::stacks::left_out);
}

// The bug: who waits asks again and again.
TEST(mutex, nobody_polls) {
  memory_store store;
  session a{store}, b{store};
  mutex in_a{a, "jobs"}, in_b{b, "jobs"};
  in_a.lock();
  std::jthread other{[&] { const std::lock_guard hold{in_b}; }};
  eventually([&] { return queued(store) == 2; });
  std::this_thread::sleep_for(20ms);
  const auto before = store.transactions.load();
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(store.transactions.load(), before);
  in_a.unlock();
}

// The bug: tasks of one process go to the store each for itself, or keep the key for ever.
TEST(mutex, is_handed_over_within_the_process_and_within_bounds) {
  memory_store store{2ms};
  session a{store}, b{store};
  mutex in_a{a, "jobs", {.most = 8, .time = 10s}}, in_b{b, "jobs"};
  std::atomic<bool> stop{false};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        const std::lock_guard hold{in_a};
        std::this_thread::sleep_for(100us);
      }
    });
  }
  std::this_thread::sleep_for(50ms);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(in_b.try_lock_for(5s));  // though the others come all the time
    in_b.unlock();
  }
  stop = true;
  threads.clear();
  const auto n = in_a.counted();
  EXPECT_LE(n.acquisitions, n.tenures * 8);
  EXPECT_GT(n.local_handovers,
            0u);  // how many depends on who has a processor: one who does not come for 10 ms is passed over
}

// The bug: a wait that ended leaves its key in the queue, and everybody behind it waits for ever.
TEST(mutex, bounded_waits_leave_nothing) {
  memory_store store;
  session a{store}, b{store};
  mutex in_a{a, "jobs"}, in_b{b, "jobs"};
  in_a.lock();
  EXPECT_FALSE(in_b.try_lock());
  EXPECT_FALSE(in_b.try_lock_for(20ms));
  EXPECT_FALSE(in_b.try_lock_until(std::chrono::system_clock::now() + 10ms));
  EXPECT_EQ(in_b.lock_or_stop({}, 10ms), outcome::timed_out);
  std::stop_source stop;
  std::jthread stopper{[&] {
    std::this_thread::sleep_for(10ms);
    stop.request_stop();
  }};
  EXPECT_EQ(in_b.lock_or_stop(stop.get_token()), outcome::stopped);
  eventually([&] { return queued(store) == 1; });
  in_a.unlock();
  eventually([&] { return queued(store) == 0; });
  EXPECT_TRUE(in_b.try_lock());
  in_b.unlock();
}

// The bug: one who leaves the local queue leaves the key with nobody.
TEST(mutex, one_who_leaves_the_local_queue_gives_the_key_back) {
  memory_store store;
  session a{store};
  mutex m{a, "jobs"};
  for (int i = 0; i < 50; ++i) {
    m.lock();
    std::jthread other{[&] {
      if (m.try_lock_for(std::chrono::microseconds{50 * (i % 7)})) m.unlock();
    }};
    std::this_thread::sleep_for(std::chrono::microseconds{40 * (i % 9)});
    m.unlock();
  }
  eventually([&] { return queued(store) == 0; });
}

// The bug: only threads can wait for it; a frame that is destroyed keeps its place.
TEST(mutex, fibers_and_coroutines_wait_for_it) {
  memory_store store;
  session a{store}, b{store};
  mutex in_a{a, "jobs"}, in_b{b, "jobs"};
  int entries = 0;
  {
    mortise::task_scope tasks;
    for (int i = 0; i < 20; ++i) {
      mutex& m = i % 2 == 0 ? in_a : in_b;
      tasks.go([&] {
        const std::lock_guard hold{m};
        ++entries;
      });
      tasks.go([&]() -> mortise::task<> {
        const auto hold = co_await m.async_lock();
        ++entries;
      });
    }
    tasks.join();
  }
  EXPECT_EQ(entries, 40);
  in_a.lock();
  std::stop_source stop;
  mortise::task_scope tasks;
  tasks.go([&]() -> mortise::task<> {
    const auto [how, hold] = co_await in_b.async_lock_or_stop(stop.get_token());
    EXPECT_EQ(how, outcome::stopped);
    EXPECT_FALSE(hold.owns_lock());
  });
  tasks.go([&]() -> mortise::task<> {
    const auto [how, hold] = co_await in_b.async_lock_or_stop({}, 5ms);
    EXPECT_EQ(how, outcome::timed_out);
  });
  mortise::sleep_for(20ms);
  stop.request_stop();
  tasks.join();
  in_a.unlock();
  eventually([&] { return queued(store) == 0; });
}

// The bug: a coroutine's wait has no end, or ends and leaves its key.
TEST(mutex, coroutines_wait_until_a_time) {
  memory_store store;
  session a{store}, b{store};
  mutex in_a{a, "jobs"}, in_b{b, "jobs"};
  in_a.lock();
  mortise::task_scope tasks;
  tasks.go([&]() -> mortise::task<> {
    const auto began = std::chrono::steady_clock::now();
    const auto in_vain = co_await in_b.async_lock_for(10ms);
    EXPECT_FALSE(in_vain.owns_lock());
    EXPECT_GE(std::chrono::steady_clock::now() - began, 10ms);
    const auto until = co_await in_b.async_lock_until(std::chrono::system_clock::now() + 10ms);
    EXPECT_FALSE(until.owns_lock());
    in_a.unlock();
    const auto hold = co_await in_b.async_lock_for(10s);
    EXPECT_TRUE(hold.owns_lock());
    EXPECT_NE(in_b.token(), 0u);
  });
  tasks.join();
  eventually([&] { return queued(store) == 0; });
}

// The bug: a coroutine whose executor has stopped was left the key, or told that it is held, and all machines wait for it.
TEST(mutex, one_who_never_runs_hangs_nobody) {
  memory_store store;
  session a{store}, b{store};
  mutex in_a{a, "jobs"}, in_b{b, "jobs"};
  foreign::manual_executor where;
  int entered = 0;
  const auto enter = [&]() -> foreign::detached {
    const auto hold = co_await in_a.async_lock(&where);
    ++entered;
  };
  in_a.lock();
  enter();  // queues locally
  in_a.unlock();
  EXPECT_TRUE(in_b.try_lock_for(5s)) << "left for one who does not come";
  std::jthread other{[&] { const std::lock_guard hold{in_a}; }};
  in_b.unlock();
  other.join();
  EXPECT_TRUE(in_b.try_lock_for(5s));
  for (int i = 0; i < 1000 && entered == 0; ++i) {
    where.run_all();
    if (i == 20) in_b.unlock();  // it represents, and waits for this
    std::this_thread::sleep_for(2ms);
  }
  EXPECT_EQ(entered, 1);
  // The other way: it is told that the key is held, and does not come.
  in_b.lock();
  enter();
  in_b.unlock();
  EXPECT_TRUE(in_b.try_lock_for(5s)) << "told, and does not come";
  in_b.unlock();
  for (int i = 0; i < 1000 && entered == 1; ++i) {
    where.run_all();
    std::this_thread::sleep_for(2ms);
  }
  EXPECT_EQ(entered, 2);
  eventually([&] { return queued(store) == 0; });
}

// The bug: a holder that the store has let go believes for ever that it holds; its callbacks stop the renewals of others.
TEST(session, warns_at_its_local_deadline_and_on_a_thread_of_its_own) {
  memory_store store;
  store.ends_leases = false;  // so that nothing but the local clock can tell
  session a{store, {.lease_ttl = 400ms, .drift_margin = 100ms}};
  mutex m{a, "jobs"}, other{a, "other"};
  m.lock();
  other.lock();
  store.keeps_alive = false;
  std::atomic<bool> returns{false};
  const std::stop_callback slow{m.lost(), [&] {
                                  while (!returns) std::this_thread::sleep_for(1ms);
                                }};
  eventually([&] { return m.lost().stop_requested(); });
  EXPECT_EQ(queued(store), 1u);
  // While the callback takes its time the lease is renewed.
  store.keeps_alive = true;
  eventually([&] { return a.good_for() > 0ns; });
  returns = true;
  m.unlock();
  other.unlock();
  m.lock();
  EXPECT_FALSE(m.lost().stop_requested());
  m.unlock();
}

// The bug: a holder whose lease is renewed is warned all the same.
TEST(session, does_not_warn_while_it_is_renewed) {
  memory_store store;
  session a{store, {.lease_ttl = 3s}};
  mutex m{a, "jobs"};
  m.lock();
  const auto began = std::chrono::steady_clock::now();
  auto last = began;
  std::chrono::nanoseconds stall{0};
  for (; last - began < 3500ms; last = std::chrono::steady_clock::now()) {
    std::this_thread::sleep_for(10ms);
    stall = std::max<std::chrono::nanoseconds>(stall, std::chrono::steady_clock::now() - last);
  }
  const bool warned = m.lost().stop_requested();
  m.unlock();
  if (warned && stall > 500ms) GTEST_SKIP() << "the machine has no time for us";
  EXPECT_FALSE(warned);
}

// The bug: the lease has gone, and who waits with it waits for ever.
TEST(session, another_lease_is_had_when_one_is_gone) {
  memory_store store;
  session a{store, {.lease_ttl = 500ms}}, b{store};
  mutex in_a{a, "jobs"}, in_b{b, "jobs"};
  for (int i = 0; i < 3; ++i) {
    in_b.lock();
    std::jthread waiting{[&] { const std::lock_guard hold{in_a}; }};
    eventually([&] { return queued(store) == 2; });
    store.look([](auto& s) { s.end_leases_until(mortise::never); });  // of both
    in_b.unlock();
    waiting.join();
  }
  EXPECT_GE(in_a.counted().lost, 1u);
}

// The bug: a key that goes away under its holder is not seen.
TEST(mutex, a_key_that_is_seen_gone_is_lost) {
  memory_store store;
  session a{store};
  mutex m{a, "jobs"};
  m.lock();
  const std::stop_token lost = m.lost();
  store.look([&](auto& s) {
    mortise::cluster::transaction t;
    t.then = {mortise::cluster::erase{s.oldest("jobs//q/").key}};
    s.apply(t);
  });
  eventually([&] { return lost.stop_requested(); });
  m.unlock();
}

// The bug: a store that refuses is asked for ever.
TEST(mutex, what_the_store_refuses_is_told) {
  memory_store store;
  session a{store};
  mutex m{a, "jobs"};
  store.refuse = 1;
  EXPECT_THROW(m.lock(), mortise::cluster::refused_error);
  m.lock();
  m.unlock();
  EXPECT_THROW((mutex{a, "a//b"}), std::invalid_argument);
}

// The bug: unlock waits for the store.
TEST(mutex, unlock_does_not_wait) {
  memory_store store{20ms};
  session a{store};
  mutex m{a, "jobs"};
  // An answer takes 40 ms, and so would each of them. One that loses its processor may, too.
  auto quickest = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < 50 && quickest >= 15ms; ++i) {
    m.lock();
    const auto began = std::chrono::steady_clock::now();
    m.unlock();
    quickest = std::min(quickest, std::chrono::steady_clock::now() - began);
  }
  EXPECT_LT(quickest, 15ms);
  eventually([&] { return queued(store) == 0; });
}

// The bug: the locks of a process that ended cleanly stay until its lease is over.
TEST(session, gives_back_what_it_has_as_it_ends) {
  memory_store store;
  {
    session a{store, {.lease_ttl = 1h}};
    a.require_lease(5s);
    mutex m{a, "jobs"};
    m.lock();
    m.unlock();
  }
  EXPECT_EQ(queued(store), 0u);
}

TEST(session, options_out_of_range_are_refused) {
  memory_store store;
  EXPECT_THROW(session(store, {.lease_ttl = 1ms}), std::invalid_argument);
  EXPECT_THROW(session(store, {.lease_ttl = 1s, .drift_margin = 600ms}), std::invalid_argument);
}

}  // namespace
