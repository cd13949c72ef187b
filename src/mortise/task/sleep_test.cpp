#include <mortise/task/sleep.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <thread>
#include <vector>

#include <mortise/base/atomic.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/task_scope.hpp>
#include <support/foreign.hpp>
#include <support/slow_clock.hpp>

namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

// The bug: a sleep that ends early, by a rounding or by a clock that is not the real one.
TEST(sleep, never_early_from_a_fiber) {
  mortise::atomic<int> early{0}, slept{0};
  mortise::task_scope tasks;
  for (unsigned i = 0; i < 50; ++i) {
    tasks.go([&, random = std::minstd_rand(i + 1)]() mutable {
      for (int round = 0; round < 50; ++round) {
        const auto d = std::chrono::nanoseconds(random() % 3'000'000);
        const auto before = clock_type::now();
        mortise::sleep_for(d);
        early += clock_type::now() - before < d;
        ++slept;
      }
    });
  }
  tasks.join();
  EXPECT_EQ(early, 0);
  EXPECT_EQ(slept, 2500);
}

TEST(sleep, never_early_from_a_coroutine) {
  mortise::atomic<int> early{0}, slept{0};
  mortise::task_scope tasks;
  for (unsigned i = 0; i < 50; ++i) {
    tasks.go([&, random = std::minstd_rand(i + 1)]() mutable -> mortise::task<> {
      for (int round = 0; round < 50; ++round) {
        const auto d = std::chrono::nanoseconds(random() % 3'000'000);
        const auto before = clock_type::now();
        co_await mortise::async_sleep_for(d);
        early += clock_type::now() - before < d;
        ++slept;
      }
    });
  }
  tasks.join();
  EXPECT_EQ(early, 0);
  EXPECT_EQ(slept, 2500);
}

TEST(sleep, never_early_from_a_thread_nor_without_precision) {
  auto check = [](std::chrono::nanoseconds d) {
    const auto before = clock_type::now();
    mortise::sleep_for(d);
    EXPECT_GE(clock_type::now() - before, d);
  };
  check(2ms);
  check(150ms);  // beyond the timer wheel, on a fiber
  mortise::runtime coarse{{.workers = 1, .precise_sleep = false}};
  mortise::task_scope tasks{coarse};
  tasks.go([&] {
    check(2ms);
    check(150ms);
  });
  tasks.join();
}

// The bug: a clock was set back meanwhile, and nobody looks at it again.
TEST(sleep, never_early_by_a_clock_that_is_set) {
  auto check = [](auto... stop) {
    const auto until = slow_clock::now() + 2ms;
    mortise::sleep_until(until, stop...);
    EXPECT_GE(slow_clock::now(), until);
  };
  check();
  check(std::stop_source{}.get_token());
  mortise::task_scope tasks;
  tasks.go([&](std::stop_token stop) { check(), check(stop); });
  tasks.join();
}

TEST(sleep, nothing_to_wait_for_returns_at_once) {
  mortise::sleep_for(0s);
  mortise::sleep_for(-1h);
  mortise::sleep_until(clock_type::time_point::min());
  mortise::task_scope tasks;
  tasks.go([] {
    mortise::sleep_for(-1h);
    mortise::sleep_until(std::chrono::system_clock::now() - 1h);
    mortise::yield();
  });
  tasks.go([]() -> mortise::task<> {
    co_await mortise::async_sleep_for(-1h);
    co_await mortise::async_sleep_until(clock_type::now() - 1h);
    co_await mortise::async_yield();
  });
  tasks.join();
}

// The bug: a stop request that a sleeper does not hear, or one that is heard as a full sleep.
TEST(sleep, stop_ends_it_and_is_told_apart) {
  mortise::task_scope tasks;
  mortise::atomic<int> stopped{0}, asleep{0};
  for (int i = 0; i < 20; ++i) {
    tasks.go([&](std::stop_token stop) {
      ++asleep;
      stopped += !mortise::sleep_for(1h, stop);
    });
    tasks.go([&](std::stop_token stop) -> mortise::task<> {
      ++asleep;
      const bool in_full = co_await mortise::async_sleep_for(1h, stop);
      stopped += !in_full;
    });
  }
  std::jthread plain([&, stop = tasks.get_stop_token()] {
    ++asleep;
    stopped += !mortise::sleep_for(1h, stop);
  });
  while (asleep != 41) std::this_thread::yield();
  tasks.stop_and_join();
  plain.join();
  EXPECT_EQ(stopped, 41);
}

TEST(sleep, without_a_stop_request_it_is_full) {
  mortise::task_scope tasks;
  mortise::atomic<int> full{0};
  tasks.go([&](std::stop_token stop) { full += mortise::sleep_for(1ms, stop); });
  tasks.go([&](std::stop_token stop) {
    full += mortise::sleep_until(std::chrono::system_clock::now() + 1ms, stop);
  });
  tasks.go(
      [&](std::stop_token stop) -> mortise::task<> { full += co_await mortise::async_sleep_for(1ms, stop); });
  tasks.join();
  EXPECT_EQ(full, 3);
  tasks.request_stop();
  EXPECT_FALSE(mortise::sleep_for(1h, tasks.get_stop_token()));
}

// The bug: after 65,536 limited waits the first one's void deadline matches again and ends a plain sleep.
TEST(sleep, void_deadline_whose_round_comes_again_wakes_nobody) {
  mortise::runtime rt{{.workers = 1}};
  mortise::task_scope tasks{rt};
  std::optional<std::stop_source> source;
  bool done = false;
  tasks.go([&]() -> mortise::task<> {
    for (int i = 0; i < 65536; ++i) {
      source.emplace();
      co_await mortise::async_sleep_for(120ms, source->get_token());
    }
    done = true;
    const auto before = clock_type::now();
    co_await mortise::async_sleep_for(150ms);
    EXPECT_GE(clock_type::now() - before, 150ms);
  });
  tasks.go([&]() -> mortise::task<> {
    while (!done) {
      if (source) source->request_stop();
      co_await mortise::async_yield();
    }
  });
  tasks.join();
}

TEST(sleep, coroutine_of_another_library_goes_on) {
  mortise::atomic<bool> slept{false}, early{false};
  [](mortise::atomic<bool>& done, mortise::atomic<bool>& bad) -> foreign::detached {
    const auto before = clock_type::now();
    co_await mortise::async_sleep_for(2ms);
    co_await mortise::async_yield();
    bad = clock_type::now() - before < 2ms;
    done = true;
  }(slept, early);
  while (!slept) std::this_thread::yield();
  EXPECT_FALSE(early);
}

}  // namespace
