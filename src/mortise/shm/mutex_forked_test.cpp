// The mutex between processes over a fork: what the parent holds and awaits is not the child's. Each case opens with the bug that it would
// show.
#include <mortise/shm/mutex.hpp>

#include <gtest/gtest.h>

#include <list>

#include <support/foreign.hpp>
#include <support/shm_stage.hpp>

namespace {

using mortise::test::await;
using mortise::test::child;

using shm_forked = mortise::test::shm_stage;

// The bug: the child of a holder frees the lock, or thinks that it holds it.
TEST_F(shm_forked, child_neither_holds_nor_frees_what_its_parent_holds) {
  as_each([&] {
    std::unique_lock hold{m};
    const std::uint64_t mine = m.token();
    child forked([&] {
      EXPECT_EQ(m.token(), mine);
      EXPECT_FALSE(m.owner_died());
      hold.unlock();  // does nothing
      std::jthread([&] { EXPECT_FALSE(m.try_lock()); }).join();
      m_shared->step = 1;
      std::jthread([&] {
        m.lock();
        EXPECT_GT(m.token(), mine);
        m.unlock();
      }).join();
    });
    await([&] { return m_shared->step == 1; });
    std::jthread([&] { EXPECT_FALSE(m.try_lock()); }).join();
    hold.unlock();
    EXPECT_TRUE(forked.succeeded());
    EXPECT_EQ(m.lock_or_stop({}), mortise::outcome::acquired) << "the child's end was no death";
    m.unlock();
    m_shared->step = 0;
  });
}

// The bug: an unlock that does nothing makes the next one do nothing, too; or a second one goes unnoticed.
TEST_F(shm_forked, child_locks_and_unlocks_in_its_own_right) {
  m.lock();
  child forked([&] {
    await([&] { return m_shared->step == 1; });
    for (int i = 0; i < 3; ++i) {
      m.lock();
      std::jthread([&] { EXPECT_FALSE(m.try_lock()); }).join();
      m.unlock();
      std::jthread([&] {
        EXPECT_TRUE(m.try_lock());
        m.unlock();
      }).join();
    }
    m.unlock();  // the parent's
    EXPECT_DEATH(m.unlock(), "which this process has not locked");
  });
  m.unlock();
  m_shared->step = 1;
  EXPECT_TRUE(forked.succeeded());
}

// The bug: the child waits for its parent's keeper, which it does not have, or for tasks that wait in its parent.
TEST_F(shm_forked, child_has_a_keeper_of_its_own) {
  std::stop_source over;
  mortise::runtime rt{{.workers = 2}};
  mortise::task_scope tasks{rt};
  for (int i = 0; i < 8; ++i) {
    tasks.go([&] {
      while (!over.stop_requested()) {
        const std::lock_guard hold{m};
        ++m_shared->n;
      }
    });
  }
  std::list<child> children;
  for (int i = 0; i < 10; ++i) {  // at whatever moment of the tasks and their keeper
    children.emplace_back([&] {
      as_each([&] {
        for (int r = 0; r < 10; ++r) {
          const std::lock_guard hold{m};
        }
      });
    });
  }
  for (child& c : children) EXPECT_TRUE(c.succeeded());
  over.request_stop();
  tasks.join();
}

foreign::coroutine take(mortise::shm::mutex& m, foreign::manual_executor& ex, int& taken) {
  const auto hold = co_await m.async_lock(&ex);
  ++taken;
}

// The bug: a coroutine that waits in the parent leaves, in the child, a queue that is not there.
TEST_F(shm_forked, coroutine_of_the_parent_may_be_destroyed_in_the_child) {
  foreign::manual_executor ex;
  int taken = 0;
  m.lock();
  auto first = take(m, ex, taken);
  auto second = take(m, ex, taken);
  child forked([&] {
    first.destroy();
    second.destroy();
    await([&] { return m_shared->step == 1; });
    as_each([&] {
      m.lock();
      m.unlock();
    });
    auto own = take(m, ex, taken);
    await([&] {
      ex.run_all();
      return own.done();
    });
    return taken == 1;
  });
  m.unlock();
  m_shared->step = 1;
  await([&] {
    ex.run_all();
    return first.done() && second.done();
  });
  EXPECT_EQ(taken, 2);
  EXPECT_TRUE(forked.succeeded());
}

// The bug: a job that the parent's executor had not run yet looks, in the child, for its coroutine in a queue that is not there.
TEST_F(shm_forked, job_of_the_parent_gives_its_coroutine_nothing_in_the_child) {
  foreign::manual_executor ex;
  int taken = 0;
  m.lock();
  auto waits = take(m, ex, taken);
  m.unlock();
  await([&] { return !ex.empty(); });
  child forked([&] {
    ex.run_all();
    EXPECT_FALSE(waits.done());
    EXPECT_EQ(taken, 0);
    waits.destroy();
    as_each([&] {
      m.lock();
      m.unlock();
    });
  });
  await([&] {
    ex.run_all();
    return waits.done();
  });
  EXPECT_EQ(taken, 1);
  EXPECT_TRUE(forked.succeeded());
}

// The bug: the guard that a child has of its parent frees what another party of the child holds in its own right, or takes it for misuse.
TEST_F(shm_forked, guard_of_the_parent_frees_nothing_of_the_child) {
  for (const kind theirs : kinds) {
    m_shared->step = 0;
    std::unique_lock hold{m};
    child forked([&] {
      std::jthread other([&] {
        as(theirs, [&] {
          const std::lock_guard own{m};
          m_shared->step = 1;
          await([&] { return m_shared->step == 2; });
        });
      });
      await([&] { return m_shared->step == 1; });
      hold.unlock();  // does nothing
      EXPECT_FALSE(m.try_lock());
      m_shared->step = 2;
      other.join();
      m.lock();
      m.unlock();
    });
    hold.unlock();
    EXPECT_TRUE(forked.succeeded());
  }
}

// The bug: who opened it before the fork and who comes after share a place among the participants, and one's end is the other's.
TEST_F(shm_forked, death_of_a_child_is_not_its_parents) {
  m.lock();
  child([] { ::_exit(0); }).ended();
  std::jthread([&] { EXPECT_FALSE(m.try_lock()); }).join();
  m.unlock();
  child([&] {
    m.lock();
    ::_exit(0);
  }).ended();
  EXPECT_EQ(m.lock_or_stop({}), mortise::outcome::owner_died);
  m.unlock();
}

}  // namespace
