// The mutex between processes: who gets it, who waits, and how a wait ends. Each case opens with the bug that it would show.
#include <mortise/shm/mutex.hpp>

#include <gtest/gtest.h>

#include <sched.h>

#include <list>

#include <support/shm_stage.hpp>
#include <support/slow_clock.hpp>

namespace {

using namespace std::chrono_literals;
using mortise::outcome;
using mortise::task;
using mortise::test::await;
using mortise::test::child;

using shm_mutex = mortise::test::shm_stage;

// The bug: parties of one process or of two are in at once.
TEST_F(shm_mutex, loses_no_update_among_all_kinds_of_two_processes) {
  constexpr int rounds = 200, of_each = 8, threads = 2;
  const auto section = [this](int i) {
    const long n = m_shared->n;
    if (i % 64 == 0) ::sched_yield();
    m_shared->n = n + 1;
  };
  const auto work = [&] {
    const auto in_turn = [&] {
      for (int i = 0; i < rounds; ++i) {
        const std::lock_guard hold{m};
        section(i);
      }
    };
    mortise::runtime rt{{.workers = 2}};
    mortise::task_scope tasks{rt};
    for (int i = 0; i < of_each; ++i) {
      tasks.go(in_turn);
      tasks.go([&]() -> task<> {
        for (int r = 0; r < rounds; ++r) {
          const auto hold = co_await m.async_lock();
          section(r);
        }
      });
    }
    {
      std::list<std::jthread> plain;
      for (int i = 0; i < threads; ++i) plain.emplace_back(in_turn);
    }
    tasks.join();
  };
  child other(work);
  work();
  EXPECT_TRUE(other.succeeded());
  EXPECT_EQ(m_shared->n, 2 * rounds * (2 * of_each + threads));
}

// The bug: hundreds of fibers of each process queue, and one of them is forgotten.
TEST_F(shm_mutex, many_fibers_of_two_processes_all_have_their_turn) {
  constexpr int fibers = 300, rounds = 5;
  const auto work = [&] {
    mortise::runtime rt{{.workers = 2}};
    mortise::task_scope tasks{rt};
    for (int i = 0; i < fibers; ++i) {
      tasks.go([&] {
        for (int r = 0; r < rounds; ++r) {
          const std::lock_guard hold{m};
          ++m_shared->n;
          if (r == 0) mortise::sleep_for(10us);
        }
      });
    }
    tasks.join();
  };
  child other(work);
  work();
  EXPECT_TRUE(other.succeeded());
  EXPECT_EQ(m_shared->n, 2 * fibers * rounds);
}

// The bug: a token is given twice, or goes back, as threads and tasks of two processes take turns.
TEST_F(shm_mutex, tokens_grow_from_tenure_to_tenure) {
  const auto visit = [&] {
    const std::lock_guard hold{m};
    EXPECT_GT(m.token(), m_shared->token.exchange(m.token()));
  };
  const auto visits = [&] {
    as_each([&] {
      for (int i = 0; i < 50; ++i) visit();
    });
  };
  m_shared->token = m.where().first_token();
  child other(visits);
  visits();
  EXPECT_TRUE(other.succeeded());
}

// The bug: what is to be had at once is refused, or one way to end is taken for another, or a wait ends early.
TEST_F(shm_mutex, waits_end_as_they_say) {
  std::optional<child> holder;
  for (const kind k : kinds) {
    hold_in_a_child(holder, k);
    as_each([&] {
      EXPECT_FALSE(m.try_lock());
      EXPECT_FALSE(m.try_lock_for(-1s));
      for (const auto d : {100us, 3000us}) {
        const auto until = std::chrono::steady_clock::now() + d;
        EXPECT_FALSE(m.try_lock_until(until));
        EXPECT_GE(std::chrono::steady_clock::now(), until);
      }
      const auto slow = slow_clock::now() + 2ms;
      EXPECT_FALSE(m.try_lock_until(slow));
      EXPECT_GE(slow_clock::now(), slow);
      std::stop_source stop;
      EXPECT_EQ(m.lock_or_stop({}, 1ms), outcome::timed_out);
      EXPECT_EQ(m.lock_or_stop(stop.get_token(), 1ms), outcome::timed_out);
      EXPECT_EQ(m.lock_or_stop(stop.get_token(), std::chrono::system_clock::now() + 1ms), outcome::timed_out);
      stop.request_stop();
      EXPECT_EQ(m.lock_or_stop(stop.get_token()), outcome::stopped);
      EXPECT_EQ(m.lock_or_stop(stop.get_token(), 1h), outcome::stopped);
    });
    m_shared->step = 2;
    EXPECT_TRUE(holder->succeeded());
    as_each([&] {
      std::stop_source stop;
      stop.request_stop();
      EXPECT_EQ(m.lock_or_stop(stop.get_token()), outcome::acquired) << "what is to be had at once is taken";
      m.unlock();
      EXPECT_TRUE(m.try_lock_for(1h));
      m.unlock();
      EXPECT_TRUE(m.try_lock_until(std::chrono::steady_clock::now() + 1h));
      m.unlock();
    });
  }
}

// The bug: a request to stop that comes while one sleeps wakes nobody.
TEST_F(shm_mutex, stop_wakes_a_sleeper) {
  std::optional<child> holder;
  hold_in_a_child(holder, kind::thread);
  as_each([&] {
    std::stop_source stop;
    std::jthread stopper([&] {
      await_request();  // the keeper's, for us
      stop.request_stop();
    });
    EXPECT_EQ(m.lock_or_stop(stop.get_token()), outcome::stopped);
  });
}

// The bug: whether a fiber can have the lock at once is not asked of the keeper, or asked wrongly.
TEST_F(shm_mutex, fibers_try_through_the_keeper) {
  std::optional<child> holder;
  as(kind::fiber, [&] {
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(m.try_lock());  // the keeper does not hold it, or lingers
      EXPECT_GT(m.token(), 0u);
      m.unlock();
      if (i % 4 == 0) mortise::sleep_for(2ms);
    }
    hold_in_a_child(holder, kind::fiber);
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(m.try_lock());
    m_shared->step = 2;
    EXPECT_TRUE(holder->succeeded());
    EXPECT_TRUE(m.try_lock());
    mortise::task_scope others;
    others.go([&] { EXPECT_FALSE(m.try_lock()); });
    others.join();
    m.unlock();
  });
}

// The bug: fibers that try while others wait take the answer for theirs, or are never answered.
TEST_F(shm_mutex, fibers_that_try_are_answered_while_others_wait) {
  std::optional<child> holder;
  hold_in_a_child(holder, kind::thread);
  mortise::runtime rt{{.workers = 2}};
  mortise::task_scope tasks{rt};
  for (int i = 0; i < 10; ++i) tasks.go([&] { EXPECT_FALSE(m.try_lock()); });
  tasks.join();
  for (int i = 0; i < 4; ++i) {
    tasks.go([&] {
      const std::lock_guard hold{m};
      ++m_shared->n;
    });
  }
  await_request();
  mortise::task_scope tries{rt};
  for (int i = 0; i < 10; ++i) tries.go([&] { EXPECT_FALSE(m.try_lock()); });
  tries.join();
  m_shared->step = 2;
  tasks.join();
  EXPECT_EQ(m_shared->n, 4);
}

// The bug: who takes the lock again at once keeps other processes out, or threads of its own.
TEST_F(shm_mutex, one_who_has_waited_is_not_passed_for_ever) {
  constexpr int times = 20;
  for (const kind mine : kinds) {
    for (const kind theirs : kinds) {
      m_shared->step = 0;
      child other([&] {
        as(theirs, [&] {
          await([&] { return m_shared->step == 1; });
          for (int i = 0; i < times; ++i) {
            const std::lock_guard hold{m};
          }
        });
        m_shared->step = 2;
      });
      as(mine, [&] {
        while (m_shared->step != 2) {  // hangs
          const std::lock_guard hold{m};
          if (m_shared->step == 0) m_shared->step = 1;
        }
      });
      EXPECT_TRUE(other.succeeded());
    }
  }
}

// The bug: a keeper keeps the lock while tasks of its process come and go, so that one is always there.
TEST_F(shm_mutex, tasks_without_end_let_others_in) {
  std::stop_source over;
  const auto visit = [&] {
    for (int i = 0; i < 20; ++i) {
      const std::lock_guard hold{m};
    }
  };
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
  std::jthread(visit).join();  // of this process, and yet not one of the keeper's
  EXPECT_TRUE(child(visit).succeeded());
  EXPECT_TRUE(child([&] { as(kind::fiber, visit); }).succeeded());
  over.request_stop();
  tasks.join();
}

// The bug: a keeper that has nobody to keep it for keeps it all the same.
TEST_F(shm_mutex, thread_gets_what_a_keeper_holds_for_nobody) {
  for (int i = 0; i < 30; ++i) {
    as(kind::fiber, [&] { const std::lock_guard hold{m}; });
    await([&] { return m.try_lock(); });  // at once, where the keeper's thread comes to run within 3 ms
    m.unlock();
  }
}

// The bug: two handles of one process take themselves for one.
TEST_F(shm_mutex, handles_of_one_process_keep_each_other_out) {
  mortise::shm::mutex again{mortise::shm::place::descriptor(m.where().descriptor())};
  as_each([&] {
    const std::lock_guard hold{m};
    EXPECT_FALSE(again.try_lock());
    EXPECT_FALSE(again.try_lock_for(5ms));
  });
  as_each([&] {
    const std::lock_guard hold{again};
    EXPECT_FALSE(m.try_lock());
  });
}

// The bug: a handle that is destroyed as the program ends frees what a section of it still uses.
TEST_F(shm_mutex, destroyed_in_a_section_it_is_held_until_the_process_is_gone) {
  for (const kind k : kinds) {
    child holder([&] {
      std::optional<mortise::shm::mutex> own{std::in_place,
                                             mortise::shm::place::descriptor(m.where().descriptor())};
      as(k, [&] {
        own->lock();
        own.reset();
        m_shared->step = 1;
        await([&] { return m_shared->step == 2; });
      });
    });
    await([&] { return m_shared->step == 1; });
    EXPECT_FALSE(m.try_lock());
    m_shared->step = 2;
    EXPECT_TRUE(holder.succeeded());
    const std::lock_guard hold{m};
    EXPECT_TRUE(m.owner_died());
    m_shared->step = 0;
  }
}

using shm_mutex_death = shm_mutex;

// The bug: an unlock too many, or by a stranger, goes unnoticed.
TEST_F(shm_mutex_death, unlock_of_what_is_not_held_is_named) {
  EXPECT_DEATH(m.unlock(), "mortise: unlock of the shm::mutex .*, which this process has not locked");
  EXPECT_DEATH(
      {
        m.lock();
        std::thread([&] { m.unlock(); }).join();
      },
      "mortise: unlock of the shm::mutex .* by a thread that does not hold it");
  EXPECT_DEATH(
      {
        m.lock();
        m.lock();
      },
      "mortise: lock of the shm::mutex .* by the thread that holds it already");
  const std::lock_guard hold{m};
  EXPECT_FALSE(m.try_lock());
  EXPECT_FALSE(m.try_lock_for(3ms));
}

}  // namespace
