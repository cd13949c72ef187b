// guarded<T> from threads, fibers and coroutines.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <mortise/mortise.hpp>

namespace {

using namespace std::chrono_literals;
using map = std::map<int, int>;

TEST(guarded, read_update_with_and_lock) {
  mortise::guarded<map> state;
  state.update([](map& m) { m[3] = 7; });
  EXPECT_EQ(state.read([](const map& m) { return m.at(3); }), 7);
  EXPECT_EQ(state.with([](map& m) { return ++m[3]; }), 8);
  EXPECT_EQ(state.lock()->at(3), 8);
  {
    const auto guard = state.lock();
    (*guard)[4] = 1;
  }
  EXPECT_EQ(state.read([](const map& m) { return m.size(); }), 2u);
  EXPECT_EQ((mortise::guarded<std::string>("abc").read([](const auto& s) { return s; })), "abc");
}

TEST(guarded, works_with_std_mutex_as_well) {
  mortise::guarded<map, std::mutex> state;
  state.update([](map& m) { m[3] = 7; });
  EXPECT_EQ(state.read([](const map& m) { return m.at(3); }), 7);
}

// The bug: readers of a shared mutex keep each other out.
TEST(guarded, readers_share_a_shared_mutex) {
  mortise::guarded<map, mortise::shared_mutex> state;
  state.update([](map& m) { m[3] = 7; });
  mortise::latch both{2};  // each waits inside for the other
  int seen = 0;
  mortise::task_scope tasks;
  tasks.go([&] { state.read([&](const map&) { both.arrive_and_wait(); }); });
  std::jthread thread([&] {
    seen = state.read([&](const map& m) {
      both.arrive_and_wait();
      return m.at(3);
    });
  });
  thread.join();
  tasks.join();
  EXPECT_EQ(seen, 7);
  tasks.go([&]() -> mortise::task<> {
    co_await state.async_with([](map& m) { m[3] = 8; });
    seen = co_await state.async_read([](const map& m) { return m.at(3); });
  });
  tasks.join();
  EXPECT_EQ(seen, 8);
}

// The bug: half of a change stays when the closure throws.
TEST(guarded, update_is_all_or_nothing) {
  mortise::guarded<map> state;
  state.update([](map& m) { m[1] = 1; });
  EXPECT_THROW(state.update([](map& m) {
    m[1] = 2;
    m[2] = 2;
    throw std::runtime_error("half-way");
  }),
               std::runtime_error);
  EXPECT_EQ(state.read([](const map& m) { return m; }), (map{{1, 1}}));
  EXPECT_THROW(state.with([](map& m) {
    m[1] = 3;
    throw std::runtime_error("in place");
  }),
               std::runtime_error);
  EXPECT_EQ(state.read([](const map& m) { return m.at(1); }), 3);  // with() edits in place
}

// The bug: an exception leaves the lock held.
TEST(guarded, exception_frees_the_lock) {
  mortise::guarded<int> n;
  EXPECT_THROW(n.read([](const int&) -> int { throw 1; }), int);
  std::jthread([&] { n.with([](int& x) { x = 5; }); }).join();
  EXPECT_EQ(n.read([](const int& x) { return x; }), 5);
}

TEST(guarded, coroutines_await_the_same_operations) {
  mortise::guarded<map> state;
  mortise::task_scope tasks;
  for (int i = 0; i < 100; ++i) {
    tasks.go([&]() -> mortise::task<> {
      for (int k = 0; k < 20; ++k) {
        co_await state.async_update([](map& m) { ++m[0]; });
        co_await state.async_with([](map& m) { ++m[1]; });
        const int seen = co_await state.async_read([](const map& m) { return m.at(0) - m.at(0); });
        auto guard = co_await state.async_lock();
        (*guard)[2] += 1 + seen;
      }
    });
    tasks.go([&] {
      for (int k = 0; k < 20; ++k) {
        state.with([](map& m) { ++m[1]; });
        state.update([](map& m) { ++m[0]; });
      }
    });
  }
  tasks.join();
  EXPECT_EQ(state.read([](const map& m) { return m; }), (map{{0, 4000}, {1, 4000}, {2, 2000}}));
}

// The bug: the awaited lock is given back before the closure runs.
TEST(guarded, awaited_closures_run_under_the_lock) {
  mortise::guarded<int> n;
  mortise::task_scope tasks;
  tasks.go([&]() -> mortise::task<> {
    mortise::atomic<bool> entered{false};
    std::jthread other;
    auto section = [&](const auto&) {
      other = std::jthread([&] { n.with([&](int&) { entered = true; }); });
      std::this_thread::sleep_for(3ms);  // time enough for it to come in, if it can
      EXPECT_FALSE(entered);
    };
    auto end = [&] {
      other.join();
      EXPECT_TRUE(entered.exchange(false));
    };
    co_await n.async_with(section);
    end();
    co_await n.async_read(section);
    end();
    co_await n.async_update(section);
    end();
    {
      const auto guard = co_await n.async_lock();
      section(*guard);
    }
    end();
  });
  tasks.join();
}

TEST(guarded, async_update_that_throws_leaves_the_old_value) {
  mortise::guarded<int> n(1);
  mortise::task_scope tasks;
  tasks.go([&]() -> mortise::task<> {
    co_await n.async_update([](int& x) {
      x = 2;
      throw std::runtime_error("no");
    });
  });
  EXPECT_THROW(tasks.join(), std::runtime_error);
  EXPECT_EQ(n.read([](const int& x) { return x; }), 1);
}

TEST(counter, is_exact_once_joined) {
  static constinit mortise::counter n;
  mortise::task_scope tasks;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50'000; ++i) ++n;
    });
    tasks.go([&] {
      for (int i = 0; i < 50'000; ++i) {
        n += 2;
        if (i % 1000 == 0) mortise::yield();
      }
    });
  }
  threads.clear();
  tasks.join();
  EXPECT_EQ(n.value(), 4u * 50'000 * 3);
}

}  // namespace
