// Ownership belongs to the party, not to the OS thread: what it took on one worker it gives back on another.
#include <gtest/gtest.h>

#include <sys/syscall.h>
#include <unistd.h>

#include "broken_locks.hpp"
#include "parties.hpp"

namespace conformance {
namespace {

// Never inlined: a fiber may be on another thread the next time.
[[gnu::noinline]] long this_thread() { return ::syscall(SYS_gettid); }

template <class Traits>
class migration : public testing::Test {};
using migration_locks = list_of<suspending, belongs_to_its_thread, faultless>::types;
TYPED_TEST_SUITE(migration, migration_locks, lock_names);

// A task that keeps the worker of the one that started it, until that one goes on elsewhere, stolen by an idle worker. Or it
// is the hog that was stolen; then the try was in vain.
class hog {
 public:
  hog() {
    m_tasks.go([this] {
      while (!m_over.load(std::memory_order_relaxed)) {}
    });
  }
  bool has_moved_me() {
    m_over.store(true, std::memory_order_relaxed);
    return this_thread() != m_from;
  }
  mortise::task_scope& tasks() { return m_tasks; }

 private:
  long m_from = this_thread();
  std::atomic<bool> m_over{false};
  mortise::task_scope m_tasks;
};

bool moves_elsewhere() {
  hog here;
  mortise::yield();
  const bool moved = here.has_moved_me();
  here.tasks().join();
  return moved;
}

constexpr int enough_migrations = 10, most_turns = 1'000;

// The bug: the unlock is refused, or wakes nobody, where the holder has changed workers.
TYPED_TEST(migration, fiber_locks_on_one_worker_and_unlocks_on_another) {
  typename TypeParam::lock m;
  occupancy inside;
  std::atomic<int> moved{0};
  std::atomic<bool> enough{false};
  int turns = 0;  // guarded by m
  stage<TypeParam> parties{3};
  for (int i = 0; i < 3; ++i) {
    parties.go_free(kind::fiber, [&] {
      while (!enough) {
        TypeParam::section(m, [&] {
          inside.visit();
          moved += moves_elsewhere();
          if (moved >= enough_migrations || ++turns >= most_turns) enough = true;
          inside.visit();
        });
      }
    });
  }
  // others, that keep workers busy and waiters in the queue
  parties.go_free(kind::thread, [&] {
    while (!enough) {
      TypeParam::section(m, [&] { inside.visit(); });
      std::this_thread::yield();
    }
  });
  parties.join();
  EXPECT_EQ(inside.crowded(), 0);
  EXPECT_GE(moved, enough_migrations) << "too few migrations to say anything";
  expect_free<TypeParam>(m);
}

TYPED_TEST(migration, task_takes_it_on_one_worker_and_gives_it_back_on_another) {
  if constexpr (!TypeParam::asynchronous) {
    GTEST_SKIP() << "not promised";
  } else {
    typename TypeParam::lock m;
    occupancy inside;
    int moved = 0;  // guarded by m, as all below
    int turns = 0;
    bool enough = false;
    mortise::runtime rt{{.workers = 3}};
    mortise::task_scope tasks{rt};
    for (int i = 0; i < 3; ++i) {
      tasks.go([&]() -> mortise::task<> {
        for (bool done = false; !done;) {
          const auto hold = co_await TypeParam::async_hold(m, nullptr);
          inside.visit();
          hog here;
          co_await mortise::async_yield();
          moved += here.has_moved_me();
          co_await here.tasks().async_join();
          enough |= moved >= enough_migrations || ++turns >= most_turns;
          done = enough;
          inside.visit();
        }
      });
    }
    tasks.join();
    EXPECT_EQ(inside.crowded(), 0);
    EXPECT_GE(moved, enough_migrations) << "too few migrations to say anything";
    expect_free<TypeParam>(m);
  }
}

// What a coroutine took goes to a thread of the program, which gives it back.
TYPED_TEST(migration, hold_of_a_coroutine_is_given_back_by_a_thread) {
  if constexpr (!TypeParam::asynchronous) {
    GTEST_SKIP() << "not promised";
  } else {
    typename TypeParam::lock m;
    for (int i = 0; i < 50; ++i) {
      mortise::task_scope tasks;
      int written = 0;  // guarded by m
      tasks.go([&]() -> mortise::task<> {
        auto hold = co_await TypeParam::async_hold(m, nullptr);
        written = 1;
        std::thread([&written, mine = std::move(hold)]() mutable {
          written = 2;
          mine.unlock();
        }).detach();
      });
      tasks.join();
      TypeParam::section(m, [&] { EXPECT_EQ(written, 2); });
    }
    expect_free<TypeParam>(m);
  }
}

}  // namespace
}  // namespace conformance
