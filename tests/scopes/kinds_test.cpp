// One mutex, every kind of party.
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <mortise/mortise.hpp>
#include <support/foreign.hpp>
#include <support/lock_probe.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::lock_probe;

enum class kind { thread, fiber, coroutine };
const char* name_of(kind k) {
  return k == kind::thread ? "thread" : k == kind::fiber ? "fiber" : "coroutine";
}

// A party of one kind that takes the lock once, does something under it and gives it back.
class party {
 public:
  template <class F>
  party(kind k, mortise::runtime& rt, mortise::mutex& m, F under_lock) : m_tasks{rt} {
    switch (k) {
      case kind::thread:
        m_thread = std::jthread([&m, under_lock] {
          const std::lock_guard hold{m};
          under_lock();
        });
        break;
      case kind::fiber:
        m_tasks.go([&m, under_lock] {
          const std::lock_guard hold{m};
          under_lock();
        });
        break;
      case kind::coroutine:
        m_tasks.go([&m, under_lock]() -> mortise::task<> {
          const auto hold = co_await m.async_lock();
          under_lock();
        });
        break;
    }
  }

 private:
  mortise::task_scope m_tasks;
  std::jthread m_thread;
};

class every_pair : public testing::TestWithParam<std::tuple<kind, kind>> {};

// The bug: a kind of holder that forgets to wake a kind of waiter.
TEST_P(every_pair, holder_hands_over_to_waiter) {
  const auto [holder, waiter] = GetParam();
  mortise::runtime rt{{.workers = 2}};
  for (int round = 0; round < 50; ++round) {
    mortise::mutex m;
    mortise::atomic<bool> go_on{false}, held{false};
    int order = 0, first = 0, second = 0;  // guarded by m
    {
      const party a(holder, rt, m, [&] {
        held = true;
        while (!go_on) std::this_thread::yield();
        first = ++order;
      });
      while (!held) std::this_thread::yield();
      const party b(waiter, rt, m, [&] { second = ++order; });
      if (rt.workers() > 1 || waiter == kind::thread) lock_probe::wait_for_waiters(m, 1);
      go_on = true;
    }
    ASSERT_EQ(first, 1);
    ASSERT_EQ(second, 2);
  }
}

constexpr kind kinds[] = {kind::thread, kind::fiber, kind::coroutine};
INSTANTIATE_TEST_SUITE_P(kinds, every_pair,
                         testing::Combine(testing::ValuesIn(kinds), testing::ValuesIn(kinds)),
                         [](const auto& pair) {
                           return std::string(name_of(std::get<0>(pair.param))) + "_to_" +
                                  name_of(std::get<1>(pair.param));
                         });

class workers : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(runtime, workers, testing::Values(1u, 2u, 4u));

// The bug: an update lost between kinds. A plain counter; the mutex is all that protects it.
TEST_P(workers, nothing_is_lost_among_all_kinds) {
  mortise::mutex m;
  std::uint64_t n = 0;
  mortise::runtime rt{{.workers = GetParam()}};
  mortise::task_scope tasks{rt};
  constexpr int rounds = 300;
  for (int i = 0; i < 30; ++i) {
    tasks.go([&, i] {
      for (int k = 0; k < rounds; ++k) {
        const std::lock_guard hold{m};
        ++n;
        if (i == 0 && k % 16 == 0) mortise::sleep_for(20us);  // a holder that sleeps, and may migrate
        if (i == 1 && k % 16 == 0) mortise::yield();
      }
    });
    tasks.go([&, i]() -> mortise::task<> {
      for (int k = 0; k < rounds; ++k) {
        const auto hold = co_await m.async_lock();
        ++n;
        if (i == 0 && k % 16 == 0) co_await mortise::async_sleep_for(20us);
      }
    });
  }
  std::vector<std::jthread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < rounds; ++k) {
        const std::lock_guard hold{m};
        ++n;
      }
    });
  }
  threads.clear();
  tasks.join();
  EXPECT_EQ(n, 63u * rounds);
}

// The bug: on one worker a fiber that never blocks on the lock keeps all others from running.
TEST(fairness, lock_path_gives_way_to_runnable_tasks) {
  mortise::runtime rt{{.workers = 1}};
  mortise::mutex m;
  bool done_fiber = false, done_coroutine = false;  // guarded by m
  mortise::task_scope tasks{rt};
  tasks.go([&] {
    for (bool done = false; !done;) {
      const std::lock_guard hold{m};
      done = done_fiber;
    }
  });
  tasks.go([&]() -> mortise::task<> {
    for (bool done = false; !done;) {
      const auto hold = co_await m.async_lock();
      done = done_coroutine;
    }
  });
  tasks.go([&] {
    const std::lock_guard hold{m};
    done_fiber = done_coroutine = true;
  });
  tasks.join();
}

// The bug: a fiber's wake is spent on a deadline that has passed, and the one behind it sleeps for ever.
TEST_P(workers, deadlines_and_grants_race_and_nothing_is_leaked) {
  mortise::runtime rt{{.workers = GetParam()}};
  mortise::mutex m;
  std::uint64_t taken = 0;  // guarded by m
  mortise::counter said_taken, said_timed_out;
  mortise::task_scope tasks{rt};
  auto body = [&](unsigned seed) {
    for (unsigned k = 0; k < 300; ++k) {
      if (m.try_lock_for(std::chrono::nanoseconds((seed * 7919 + k * 104729) % 60'000))) {
        ++taken;
        if (k % 8 == 0) mortise::sleep_for(10us);
        m.unlock();
        ++said_taken;
      } else {
        ++said_timed_out;
      }
    }
  };
  for (unsigned i = 0; i < 20; ++i) tasks.go([&, i] { body(i); });
  std::vector<std::jthread> threads;
  for (unsigned i = 0; i < 3; ++i) threads.emplace_back([&, i] { body(100 + i); });
  threads.clear();
  tasks.join();
  EXPECT_EQ(said_taken.value(), taken);
  EXPECT_EQ(said_taken.value() + said_timed_out.value(), 23u * 300);
  EXPECT_EQ(lock_probe::waiters(m), 0u);
  EXPECT_TRUE(m.try_lock());
  m.unlock();
}

// Rule 3 among fibers and threads. The bug: the unlocker touches the mutex when the next holder has freed it.
TEST_P(workers, next_holder_may_destroy_it_at_once) {
  mortise::runtime rt{{.workers = GetParam()}};
  for (int i = 0; i < 300; ++i) {
    auto m = std::make_unique<mortise::mutex>();
    mortise::task_scope tasks{rt};
    m->lock();
    tasks.go([&] {
      m->lock();
      m->unlock();
      m.reset();
    });
    if (i % 2 == 0) lock_probe::wait_for_waiters(*m, 1);
    m->unlock();
    tasks.join();
  }
}

TEST(condition_variable_any, works_between_threads) {
  mortise::mutex m;
  std::condition_variable_any changed;
  int value = 0;  // guarded by m
  std::jthread consumer([&] {
    for (int want = 1; want <= 100; ++want) {
      std::unique_lock hold{m};
      changed.wait(hold, [&] { return value == want; });
      value = -want;
      changed.notify_all();
    }
  });
  for (int i = 1; i <= 100; ++i) {
    std::unique_lock hold{m};
    value = i;
    changed.notify_all();
    changed.wait(hold, [&] { return value == -i; });
  }
}

#if MORTISE_IS_CHECKED && !defined(__SANITIZE_THREAD__)
TEST(checked_death, blocking_lock_in_a_coroutine_is_named) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        mortise::mutex m;
        mortise::task_scope tasks;
        const std::lock_guard hold{m};
        tasks.go([&]() -> mortise::task<> {
          m.lock();
          co_return;
        });
        tasks.join();
      },
      "lock\\(\\) of the mutex at .* has to wait in coroutine [0-9]+: a coroutine waits with co_await async_lock\\(\\)");
}

TEST(checked_death, relock_by_a_fiber_is_named) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        mortise::mutex m;
        mortise::task_scope tasks;
        tasks.go([&] {
          m.lock();
          mortise::sleep_for(1ms);
          m.lock();
        });
        tasks.join();
      },
      "by fiber [0-9]+, which holds it already");
}

// std::condition_variable_any blocks the OS thread under the fiber, and with it the fiber that would notify.
TEST(checked_death, condition_variable_any_in_a_fiber_is_named) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        mortise::mutex m;
        std::condition_variable_any changed;
        mortise::task_scope tasks;
        tasks.go([&] {
          std::unique_lock hold{m};
          changed.wait(hold);
        });
        tasks.join();
      },
      "fiber [0-9]+ waits on a std::condition_variable");
}

TEST(checked, fiber_that_migrates_stays_the_holder) {
  mortise::runtime rt{{.workers = 3}};
  mortise::task_scope tasks{rt};
  mortise::mutex m;
  for (int i = 0; i < 20; ++i) {
    tasks.go([&] {
      for (int k = 0; k < 50; ++k) {
        m.lock();
        mortise::sleep_for(10us);
        m.unlock();
      }
    });
  }
  tasks.join();
}
#endif

}  // namespace
