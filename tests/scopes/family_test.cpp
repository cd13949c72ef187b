// The family of locks with all kinds of parties at once: threads, fibers and coroutines wait for each other.
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include <mortise/mortise.hpp>

namespace {

using namespace std::chrono_literals;

constexpr int rounds = 2000;

// Starts two of each kind. `block` is for threads and fibers, `await` gives a coroutine.
template <class Block, class Await>
void with_all_kinds(Block block, Await await) {
  mortise::task_scope tasks;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back(block);
    tasks.go(block);
    tasks.go(await);
  }
  threads.clear();
  tasks.join();
}

// The bug: a permit is lost or made from nothing on its way from one kind to another.
TEST(family, semaphore_hands_permits_from_kind_to_kind) {
  mortise::counting_semaphore<> permits{2};
  std::atomic<int> inside{0};
  std::atomic<bool> too_many{false};
  const auto in_and_out = [&] {
    if (++inside > 2) too_many = true;
    --inside;
  };
  with_all_kinds(
      [&] {
        for (int i = 0; i < rounds; ++i) {
          if (i % 3 != 0) {
            permits.acquire();
          } else if (!permits.try_acquire_for(1ms)) {
            continue;
          }
          in_and_out();
          permits.release();
        }
      },
      [&]() -> mortise::task<> {
        for (int i = 0; i < rounds; ++i) {
          if (i % 3 != 0) {
            co_await permits.async_acquire();
          } else if (!co_await permits.async_try_acquire_for(1ms)) {
            continue;
          }
          in_and_out();
          permits.release();
        }
      });
  EXPECT_FALSE(too_many);
  EXPECT_TRUE(permits.try_acquire());
  EXPECT_TRUE(permits.try_acquire());
  EXPECT_FALSE(permits.try_acquire());
}

// The bug: a reader sees half of what a writer of another kind wrote.
TEST(family, shared_mutex_keeps_readers_and_writers_of_all_kinds_apart) {
  mortise::shared_mutex m;
  long first = 0, second = 0;
  std::atomic<bool> torn{false};
  const auto look = [&] {
    if (first != second) torn = true;
  };
  const auto change = [&] {
    ++first;
    ++second;
  };
  with_all_kinds(
      [&] {
        for (int i = 0; i < rounds; ++i) {
          if (i % 10 == 0) {
            m.lock();
            change();
            if (i % 20 == 0) {
              m.unlock_and_lock_shared();
              look();
              m.unlock_shared();
            } else {
              m.unlock();
            }
          } else {
            const std::shared_lock hold{m};
            look();
            if (i % 64 == 0) mortise::yield();
          }
        }
      },
      [&]() -> mortise::task<> {
        for (int i = 0; i < rounds; ++i) {
          if (i % 10 == 0) {
            const auto hold = co_await m.async_lock();
            change();
          } else if (const auto hold = co_await m.async_lock_shared_for(1ms); hold.owns_lock()) {
            look();
            if (i % 64 == 0) co_await mortise::async_yield();
          }
        }
      });
  EXPECT_FALSE(torn);
  EXPECT_EQ(first, 6 * rounds / 10);
}

// The bug: a consumer of one kind sleeps on while what another kind produced lies there.
TEST(family, conditions_wake_all_kinds) {
  mortise::guarded<std::deque<int>> queue;
  std::atomic<long> sum{0};
  const auto filled = [](const std::deque<int>& q) { return !q.empty(); };
  const auto take = [](std::deque<int>& q) {
    const int x = q.front();
    q.pop_front();
    return x;
  };
  std::jthread producer([&] {
    for (int i = 1; i <= 6 * rounds; ++i) queue.with([i](std::deque<int>& q) { q.push_back(i); });
  });
  with_all_kinds(
      [&] {
        for (int i = 0; i < rounds;) {
          const auto r = queue.with_when_for(i % 2 == 0 ? 10us : 1s, filled, take);
          if (!r) continue;
          sum += *r.value;
          ++i;
        }
      },
      [&]() -> mortise::task<> {
        for (int i = 0; i < rounds; ++i) sum += co_await queue.async_with_when(filled, take);
      });
  EXPECT_EQ(sum, 6L * rounds * (6L * rounds + 1) / 2);
}

TEST(family, condition_variable_wakes_all_kinds) {
  mortise::mutex m;
  mortise::condition_variable changed;
  std::deque<int> queue;
  long sum = 0;
  std::jthread producer([&] {
    for (int i = 1; i <= 6 * rounds; ++i) {
      const std::lock_guard hold{m};
      queue.push_back(i);
      i % 3 == 0 ? changed.notify_all() : changed.notify_one();
    }
  });
  const auto take = [&] {
    sum += queue.front();
    queue.pop_front();
  };
  with_all_kinds(
      [&] {
        for (int i = 0; i < rounds;) {
          std::unique_lock hold{m};
          if (!changed.wait_for(hold, i % 2 == 0 ? 10us : 1s, [&] { return !queue.empty(); })) continue;
          take();
          ++i;
        }
      },
      [&]() -> mortise::task<> {
        for (int i = 0; i < rounds; ++i) {
          auto hold = co_await m.async_lock();
          while (queue.empty()) co_await changed.async_wait(hold);
          take();
        }
      });
  EXPECT_EQ(sum, 6L * rounds * (6L * rounds + 1) / 2);
}

// The bug: somebody goes on before all have arrived, or sleeps on; or the latch is touched after it is gone.
TEST(family, latch_lets_all_kinds_go) {
  for (int round = 0; round < 100; ++round) {
    const auto all = std::make_unique<mortise::latch>(6);
    std::atomic<int> arrived{0};
    std::atomic<bool> early{false};
    with_all_kinds(
        [&] {
          ++arrived;
          all->arrive_and_wait();
          if (arrived != 6) early = true;
        },
        [&]() -> mortise::task<> {
          ++arrived;
          all->count_down();
          co_await all->async_wait();
          if (arrived != 6) early = true;
        });
    EXPECT_FALSE(early);
  }
}

TEST(family, once_is_once_for_all_kinds) {
  for (int round = 0; round < 100; ++round) {
    mortise::once_flag flag;
    int calls = 0;
    const auto second_time = [&] {
      mortise::yield();  // others come meanwhile
      if (++calls < 2) throw 1;
    };
    std::atomic<int> thrown{0};
    with_all_kinds(
        [&] {
          try {
            mortise::call_once(flag, second_time);
          } catch (int) {
            ++thrown;
          }
        },
        [&]() -> mortise::task<> {
          try {
            co_await mortise::async_call_once(flag, [&] {
              if (++calls < 2) throw 1;
            });
          } catch (int) {
            ++thrown;
          }
        });
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(thrown, 1);
  }
}

// Every form of a bounded wait in a coroutine.
TEST(family, bounded_waits_of_coroutines_say_how_they_ended) {
  using mortise::outcome;
  mortise::shared_mutex m;
  mortise::counting_semaphore<> none{0};
  mortise::mutex held;
  m.lock();
  held.lock();
  mortise::task_scope tasks;
  tasks.go([&]() -> mortise::task<> {
    const auto soon = [] { return std::chrono::steady_clock::now() + 1ms; };
    EXPECT_FALSE((co_await m.async_lock_until(soon())).owns_lock());
    EXPECT_FALSE((co_await m.async_lock_shared_until(soon())).owns_lock());
    EXPECT_FALSE((co_await m.async_lock_for(1ms)).owns_lock());
    EXPECT_FALSE((co_await held.async_lock_until(soon())).owns_lock());
    EXPECT_EQ((co_await m.async_lock_or_stop({}, 1ms)).how, outcome::timed_out);
    EXPECT_EQ((co_await m.async_lock_shared_or_stop({}, 1ms)).how, outcome::timed_out);
    EXPECT_FALSE(co_await none.async_try_acquire_until(soon()));
    EXPECT_EQ(co_await none.async_acquire_or_stop({}, 1ms), outcome::timed_out);
    std::stop_source source;
    source.request_stop();
    EXPECT_EQ((co_await m.async_lock_or_stop(source.get_token(), 1h)).how, outcome::stopped);
    EXPECT_EQ((co_await m.async_lock_shared_or_stop(source.get_token())).how, outcome::stopped);
    EXPECT_EQ(co_await none.async_acquire_or_stop(source.get_token()), outcome::stopped);
    none.release();
    EXPECT_EQ(co_await none.async_acquire_or_stop(source.get_token(), 1h), outcome::acquired);
  });
  tasks.join();
  m.unlock();
  held.unlock();
}

// The bug: bounded waits of a fiber or coroutine are lost with the worker that they moved away from, or hold up who comes after them.
TEST(family, thousands_of_deadlines_pass_and_leave_nothing) {
  mortise::mutex m;
  std::atomic<int> timed_out{0}, stopped{0};
  std::stop_source source;
  mortise::task_scope tasks;
  m.lock();
  for (int i = 0; i < 1000; ++i) {
    tasks.go([&] { timed_out += !m.try_lock_for(5ms); });
    tasks.go([&]() -> mortise::task<> {
      const auto hold = co_await m.async_lock_for(5ms);
      timed_out += !hold.owns_lock();
    });
    tasks.go([&] { stopped += m.lock_or_stop(source.get_token()) == mortise::outcome::stopped; });
    tasks.go([&]() -> mortise::task<> {
      const auto [how, hold] = co_await m.async_lock_or_stop(source.get_token(), 1h);
      stopped += how == mortise::outcome::stopped;
    });
  }
  while (timed_out != 2000) std::this_thread::yield();
  source.request_stop();
  tasks.join();
  EXPECT_EQ(stopped, 2000);
  m.unlock();
  EXPECT_TRUE(m.try_lock());
  m.unlock();
}

}  // namespace
