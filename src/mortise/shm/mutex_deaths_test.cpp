// Holders and waiters of the mutex between processes that die, are stopped, or become something else. Each case opens with the bug that it
// would show.
#include <mortise/shm/mutex.hpp>

#include <gtest/gtest.h>

#include <support/shm_stage.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::outcome;
using mortise::test::await;
using mortise::test::child;

using shm_deaths = mortise::test::shm_stage;

// The bug: parties of another process never hear of a death, or hear of it twice.
TEST_F(shm_deaths, death_in_a_section_is_told_once) {
  for (const kind theirs : kinds) {
    as_each([&] {
      std::optional<child> holder;
      hold_in_a_child(holder, theirs);
      EXPECT_FALSE(m.try_lock());
      holder->kill();
      m.lock();
      EXPECT_TRUE(m.owner_died());
      EXPECT_GT(m.token(), m_shared->token);
      m.unlock();
      EXPECT_EQ(m.lock_or_stop({}), outcome::acquired);
      EXPECT_FALSE(m.owner_died());
      m.unlock();
    });
  }
}

// The bug: it is told to those who have it at once, but not to one who waited.
TEST_F(shm_deaths, death_is_told_to_one_who_waits) {
  for (const kind theirs : kinds) {
    as_each([&] {
      std::optional<child> holder;
      hold_in_a_child(holder, theirs);
      std::jthread killer([&] {
        await_request();
        holder->kill();
      });
      std::stop_source stop;
      EXPECT_EQ(m.lock_or_stop(stop.get_token(), 1h), outcome::owner_died);
      m.unlock();
    });
  }
}

// The bug: a coroutine does not hear of it.
TEST_F(shm_deaths, death_is_told_to_a_coroutine) {
  std::optional<child> holder;
  hold_in_a_child(holder, kind::fiber);
  mortise::runtime rt{{.workers = 1}};
  mortise::task_scope tasks{rt};
  tasks.go([&]() -> mortise::task<> {
    auto got = co_await m.async_lock_or_stop({});
    EXPECT_EQ(got.how, outcome::owner_died);
    EXPECT_TRUE(got && got.hold.owns_lock() && m.owner_died());
  });
  await_request();
  holder->kill();
  tasks.join();
}

// The bug: a section that was over when its process was killed is told as torn, or a keeper that lingers keeps the lock for ever.
TEST_F(shm_deaths, death_after_the_section_is_not_told) {
  for (const kind next : kinds) {
    child holder([&] {
      as(kind::fiber, [&] {
        for (int i = 0; i < 100; ++i) {
          const std::lock_guard hold{m};
        }
        ::kill(::getpid(), SIGKILL);  // while the keeper lingers
      });
    });
    EXPECT_TRUE(WIFSIGNALED(holder.ended()));
    as(next, [&] {
      EXPECT_TRUE(m.try_lock());
      EXPECT_FALSE(m.owner_died());
      m.unlock();
    });
  }
}

// The bug: killed at whatever instruction, a process leaves the lock taken, or a torn section that nobody is told of.
TEST_F(shm_deaths, a_section_is_whole_or_its_death_is_told) {
  for (int i = 0; i < 40; ++i) {
    m_shared->step = 0;
    child worker([&] {
      as(kinds[i % 2], [&] {
        for (;;) {
          const std::lock_guard hold{m};
          const long whole = m_shared->visits + 1;
          m_shared->n = whole;  // torn from here
          m_shared->visits = static_cast<int>(whole);
          if (whole > 100 * (i + 1)) m_shared->step = 1;
        }
      });
    });
    await([&] { return m_shared->step == 1; });
    worker.kill();
    as(kinds[i / 2 % 2], [&] {
      const std::lock_guard hold{m};
      EXPECT_TRUE(m.owner_died() || m_shared->n == m_shared->visits);
      m_shared->visits = static_cast<int>(m_shared->n);
    });
  }
}

// The bug: a holder that is stopped is taken for dead.
TEST_F(shm_deaths, stopped_holder_is_waited_for) {
  for (const kind theirs : kinds) {
    std::optional<child> holder;
    hold_in_a_child(holder, theirs);
    holder->stop();
    as_each([&] {
      EXPECT_FALSE(m.try_lock());
      EXPECT_FALSE(m.try_lock_for(10ms));
    });
    m_shared->step = 2;
    holder->go_on();
    as_each([&] {
      EXPECT_EQ(m.lock_or_stop({}), outcome::acquired);
      m.unlock();
    });
    EXPECT_TRUE(holder->succeeded());
  }
}

// The bug: one who waits, and is stopped or killed, has others wait for it.
TEST_F(shm_deaths, stopped_and_killed_waiters_hold_nobody_up) {
  for (const kind theirs : kinds) {
    m.lock();
    child waiter([&] { as(theirs, [&] { const std::lock_guard hold{m}; }); });
    await_request();
    waiter.stop();
    m.unlock();
    as_each([&] {
      for (int i = 0; i < 20; ++i) {
        const std::lock_guard hold{m};
      }
    });
    if (theirs == kind::thread) {
      waiter.go_on();
      EXPECT_TRUE(waiter.succeeded());
    } else {
      waiter.kill();
    }
    as_each([&] {
      const std::lock_guard hold{m};
      EXPECT_FALSE(m.owner_died());
    });
  }
}

// The bug: a program that is replaced, or ends, in a section keeps the lock, or nobody is told.
TEST_F(shm_deaths, exec_and_exit_in_a_section_are_deaths) {
  for (const kind theirs : kinds) {
    for (const kind next : kinds) {
      for (const bool exec : {false, true}) {
        child holder([&] {
          as(theirs, [&] {
            m.lock();
            if (exec) ::execl("/bin/true", "true", nullptr);
            ::_exit(exec ? 1 : 0);
          });
        });
        EXPECT_TRUE(holder.succeeded());
        as(next, [&] {
          EXPECT_EQ(m.lock_or_stop({}), outcome::owner_died);
          m.unlock();
        });
      }
    }
  }
}

// The bug: a thread that ends in its section, in a process that goes on, keeps the lock for ever.
TEST_F(shm_deaths, thread_that_ends_in_its_section_has_died) {
  std::thread([&] { m.lock(); }).join();
  as(kind::thread, [&] {
    EXPECT_EQ(m.lock_or_stop({}), outcome::owner_died);
    m.unlock();
  });
}

}  // namespace
