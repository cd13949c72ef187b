// Coroutines that wait for the mutex between processes. Each case opens with the bug that it would show.
#include <mortise/shm/mutex.hpp>

#include <gtest/gtest.h>

#include <list>
#include <optional>

#include <support/foreign.hpp>
#include <support/shm_stage.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::outcome;
using mortise::test::await;
using mortise::test::child;

using shm_async = mortise::test::shm_stage;

foreign::coroutine take(mortise::shm::mutex& m, foreign::manual_executor& ex, int& taken) {
  const auto hold = co_await m.async_lock(&ex);
  EXPECT_TRUE(hold.owns_lock());
  EXPECT_GT(m.token(), 0u);
  ++taken;
}

foreign::coroutine until_stopped(mortise::shm::mutex& m, foreign::manual_executor& ex, std::stop_token stop,
                                 std::chrono::nanoseconds d, std::optional<outcome>& how) {
  auto [ended, hold] = co_await m.async_lock_or_stop(stop, d, &ex);
  how = ended;
  EXPECT_EQ(hold.owns_lock(), ended == outcome::acquired);
}

// The bug: coroutines are not counted, and the keeper sleeps on.
TEST_F(shm_async, coroutines_have_their_turn) {
  foreign::manual_executor ex;
  int taken = 0;
  std::optional<child> holder;
  hold_in_a_child(holder, kind::thread);
  std::list<foreign::coroutine> all;
  for (int i = 0; i < 10; ++i) all.push_back(take(m, ex, taken));
  await_request();
  EXPECT_EQ(ex.run_all(), 0u);
  m_shared->step = 2;
  await([&] {
    ex.run_all();
    return taken == 10;
  });
  EXPECT_TRUE(holder->succeeded());
  EXPECT_TRUE(child([&] {
                as_each([&] {
                  m.lock();
                  m.unlock();
                });
              }).succeeded());
}

// The bug: a deadline or a stop wakes nobody, or its coroutine stays counted and the keeper never lets go.
TEST_F(shm_async, waits_end_as_they_say) {
  foreign::manual_executor ex;
  std::stop_source stop;
  std::optional<outcome> timed, stopped, granted;
  std::optional<child> holder;
  hold_in_a_child(holder, kind::fiber);
  const auto a = until_stopped(m, ex, {}, 1ms, timed);
  const auto b = until_stopped(m, ex, stop.get_token(), 1h, stopped);
  const auto c = until_stopped(m, ex, {}, 1h, granted);
  await([&] {
    ex.run_all();
    return timed.has_value();
  });
  EXPECT_EQ(timed, outcome::timed_out);
  EXPECT_FALSE(stopped);
  stop.request_stop();
  await([&] {
    ex.run_all();
    return stopped.has_value();
  });
  EXPECT_EQ(stopped, outcome::stopped);
  EXPECT_FALSE(granted);
  m_shared->step = 2;
  await([&] {
    ex.run_all();
    return granted.has_value();
  });
  EXPECT_EQ(granted, outcome::acquired);
  m.lock();  // of a thread: the keeper has let go
  m.unlock();
}

// The bug: a bounded wait for a free lock fails, or one for a taken lock says that it has it.
TEST_F(shm_async, bounded_waits_of_tasks) {
  mortise::runtime rt{{.workers = 1}};
  mortise::task_scope tasks{rt};
  const auto tries = [&](bool free) {
    tasks.go([&, free]() -> mortise::task<> {
      const auto some = free ? 1h : std::chrono::hours{0};
      {
        const auto hold = co_await m.async_lock_for(some + 1ms);
        EXPECT_EQ(hold.owns_lock(), free);
      }
      {
        const auto hold = co_await m.async_lock_until(std::chrono::steady_clock::now() + some + 1ms);
        EXPECT_EQ(hold.owns_lock(), free);
      }
      auto [how, hold] = co_await m.async_lock_or_stop({}, some + 1ms);
      EXPECT_EQ(how, free ? outcome::acquired : outcome::timed_out);
    });
    tasks.join();
  };
  tries(true);
  std::optional<child> holder;
  hold_in_a_child(holder, kind::thread);
  tries(false);
  m_shared->step = 2;
  tries(true);
}

// The bug: a frame that is destroyed while it waits stays in the queue, or stays counted.
TEST_F(shm_async, destroyed_frame_leaves_the_queue_and_is_counted_no_more) {
  foreign::manual_executor ex;
  int taken = 0;
  std::optional<child> holder;
  hold_in_a_child(holder, kind::thread);
  auto first = take(m, ex, taken);
  auto second = take(m, ex, taken);
  auto third = take(m, ex, taken);
  await_request();
  second.destroy();
  m_shared->step = 2;
  await([&] { return !ex.empty(); });  // the first is told
  first.destroy();
  await([&] {
    ex.run_all();
    return third.done();
  });
  EXPECT_EQ(taken, 1);
  {
    auto fourth = take(m, ex, taken);  // and the keeper lets go although it was told
    await([&] { return !ex.empty() || fourth.done(); });
  }
  m.lock();
  m.unlock();
  EXPECT_TRUE(child([&] {
                m.lock();
                m.unlock();
              }).succeeded());
}

// The bug: one who never runs has the lock, and its process with it, for ever.
TEST_F(shm_async, one_who_never_runs_hangs_nobody) {
  foreign::manual_executor dead, ex;
  int taken = 0, never_taken = 0;
  m.lock();
  auto first = take(m, dead, never_taken);
  auto second = take(m, ex, taken);
  m.unlock();
  await([&] {
    ex.run_all();
    return second.done();
  });
  EXPECT_TRUE(child([&] {
                m.lock();
                m.unlock();
              }).succeeded());
  EXPECT_EQ(never_taken, 0);
  first.destroy();
}

// The bug: what a coroutine took only its own thread may unlock.
TEST_F(shm_async, what_async_lock_took_may_be_unlocked_anywhere) {
  foreign::manual_executor ex;
  std::optional<std::unique_lock<mortise::shm::mutex>> kept;
  const auto c = [](mortise::shm::mutex& l, foreign::manual_executor& where,
                    auto& out) -> foreign::coroutine { out = co_await l.async_lock(&where); }(m, ex, kept);
  await([&] {
    ex.run_all();
    return kept.has_value();
  });
  std::jthread([&] { kept->unlock(); }).join();
  m.lock();
  m.unlock();
}

}  // namespace
