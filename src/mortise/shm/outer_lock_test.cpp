// The lock of a region, by operating system threads of several processes. Each case opens with the bug that it would show.
#include <mortise/shm/outer_lock.hpp>

#include <gtest/gtest.h>

#include <sched.h>
#include <ctime>
#include <list>
#include <thread>

#include <mortise/shm/region.hpp>
#include <support/emulated.hpp>
#include <support/forked.hpp>

// Children start threads; and of a mutex that their parent held as they were forked ThreadSanitizer goes on to think, in them, that it is
// held by a thread of theirs.
extern "C" const char* __tsan_default_options() { return "die_after_fork=0:report_mutex_bugs=0"; }

namespace {

using namespace mortise;
using test::await;
using test::child;

struct counters {
  atomic<int> step{0};
  atomic<long> sections{0};
  long n = 0;
};

class outer_lock_of_processes : public testing::Test {
 protected:
  void SetUp() override {
    if (test::emulated()) GTEST_SKIP() << "the emulator knows no robust mutexes";
  }

  shm::participant_id me() { return m_region.members().me(); }
  shm::outer_lock::section enter() {
    const shm::participant_id self = me();
    EXPECT_TRUE(m_lock.take(never));
    return m_lock.begin_section(self);
  }
  void leave() {
    m_lock.end_section();
    m_lock.release();
  }
  // A section of the next one who comes.
  shm::outer_lock::section visit() {
    const auto s = enter();
    leave();
    return s;
  }

  shm::region m_region{shm::place::anonymous(), {"outer_lock_test", 1, 64, 8}, [](void*, void*) {}, nullptr};
  shm::lock_block& m_block{m_region.lock()};
  shm::outer_lock m_lock{m_block, m_region.members()};
  test::shared_with_children<counters> m_shared;
};

// The bug: two processes are in at once.
TEST_F(outer_lock_of_processes, loses_no_update) {
  constexpr int rounds = 2'000;
  const auto work = [&] {
    for (int i = 0; i < rounds; ++i) {
      enter();
      const long n = m_shared->n;
      if (i % 64 == 0) ::sched_yield();
      m_shared->n = n + 1;
      leave();
    }
  };
  std::list<child> children;
  for (int i = 0; i < 3; ++i) children.emplace_back(work);
  work();
  for (child& c : children) EXPECT_TRUE(c.succeeded());
  EXPECT_EQ(m_shared->n, 4 * rounds);
}

// The control: without a lock the same loses updates.
TEST_F(outer_lock_of_processes, without_it_updates_are_lost) {
  long missing = 0;
  for (int tries = 0; missing == 0 && tries < 100; ++tries) {
    atomic<long>& n = m_shared->sections;
    n = 0;
    m_shared->step = 0;
    const auto work = [&] {
      ++m_shared->step;
      await([&] { return m_shared->step == 2; });
      for (int i = 0; i < 1'000; ++i) {
        const long seen = n.load();
        ::sched_yield();
        n.store(seen + 1);
      }
    };
    child other(work);
    work();
    EXPECT_TRUE(other.succeeded());
    missing = 2'000 - n;
  }
  EXPECT_NE(missing, 0);
}

// The bug: whoever comes after a killed holder waits for ever, is not told, or is told again and again.
TEST_F(outer_lock_of_processes, death_in_a_section_is_told_once) {
  child holder([&] {
    enter();
    m_shared->step = 1;
    for (;;) ::pause();
  });
  await([&] { return m_shared->step == 1; });
  EXPECT_FALSE(m_lock.try_take());
  holder.kill();
  EXPECT_TRUE(visit().owner_died);
  EXPECT_FALSE(visit().owner_died);
}

// The control: a shared mutex that is not robust stays locked.
TEST_F(outer_lock_of_processes, a_plain_mutex_dies_with_its_holder) {
  test::shared_with_children<pthread_mutex_t> m;
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(&*m, &attributes);
  child holder([&] {
    pthread_mutex_lock(&*m);
    m_shared->step = 1;
    for (;;) ::pause();
  });
  await([&] { return m_shared->step == 1; });
  holder.kill();
  EXPECT_EQ(pthread_mutex_trylock(&*m), EBUSY);
}

// The bug: one who dies before or after its section leaves others to think that the value may be torn.
TEST_F(outer_lock_of_processes, death_outside_a_section_is_not_told) {
  const auto dies_holding = [&](bool after_a_section) {
    child holder([&] {
      if (after_a_section) {
        enter();
        m_lock.end_section();
      } else {
        me();
        EXPECT_TRUE(m_lock.take(never));
      }
      ::kill(::getpid(), SIGKILL);
    });
    EXPECT_TRUE(WIFSIGNALED(holder.ended()));
    EXPECT_FALSE(visit().owner_died);
  };
  dies_holding(false);
  dies_holding(true);
}

// The bug: the first one to learn of a death dies before it can tell, and nobody ever is told.
TEST_F(outer_lock_of_processes, death_is_told_although_who_learnt_of_it_died) {
  const auto dies = [](auto f) {
    child c([&] {
      f();
      ::kill(::getpid(), SIGKILL);
    });
    EXPECT_TRUE(WIFSIGNALED(c.ended()));
  };
  dies([&] { enter(); });
  dies([&] { EXPECT_EQ(::pthread_mutex_lock(&m_block.lock), EOWNERDEAD); });  // and does no more
  dies([&] {
    me();
    EXPECT_TRUE(m_lock.take(never));
  });
  EXPECT_TRUE(visit().owner_died);
  EXPECT_FALSE(visit().owner_died);
}

// The bug: tokens go back.
TEST_F(outer_lock_of_processes, tokens_grow) {
  const std::uint64_t first = visit().token;
  EXPECT_GT(first, m_region.first_token());
  EXPECT_TRUE(child([&] { return visit().token > first; }).succeeded());
  child([&] {
    enter();
    ::kill(::getpid(), SIGKILL);
  }).ended();
  EXPECT_GT(visit().token, first + 2);
}

// The bug: a stopped holder is taken for dead.
TEST_F(outer_lock_of_processes, stopped_holder_is_waited_for) {
  child holder([&] {
    const auto mine = enter();
    m_shared->step = 1;
    await([&] { return m_shared->step == 2; });
    const bool still = m_block.token == mine.token;
    leave();
    return still;
  });
  await([&] { return m_shared->step == 1; });
  holder.stop();
  EXPECT_FALSE(m_lock.try_take());
  EXPECT_FALSE(m_lock.take(now_ns() + 20'000'000));
  holder.go_on();
  m_shared->step = 2;
  EXPECT_FALSE(visit().owner_died);
  EXPECT_TRUE(holder.succeeded());
}

// The bug: the keeper's thread is gone, another one takes the lock, and the other threads of the dying process still store.
TEST_F(outer_lock_of_processes, kept_lock_is_not_taken_before_the_process_of_its_keeper_is_gone) {
  child holder([&] {
    const auto self = me();
    std::thread([&] {
      EXPECT_TRUE(m_lock.take(never));
      m_lock.keep(self);
      m_lock.begin_section(self);
    }).join();  // the kernel frees what the thread held
    m_shared->step = 1;
    for (;;) ::pause();
  });
  await([&] { return m_shared->step == 1; });
  atomic<bool> taken{false};
  bool told = false;
  std::jthread next([&] {
    told = visit().owner_died;
    taken = true;
  });
  await([&] { return m_block.lock.__data.__owner != 0; });  // it has it, and waits
  EXPECT_FALSE(taken);
  holder.kill();
  next.join();
  EXPECT_TRUE(told);
  EXPECT_EQ(m_block.kept, 0u);
}

// The bug: the one at the gate dies, and newcomers respect its request for ever.
TEST_F(outer_lock_of_processes, request_of_one_who_was_killed_holds_nobody_up) {
  enter();
  child waiter([&] { visit(); });
  await([&] { return m_block.request == 1; });
  waiter.kill();
  leave();
  EXPECT_FALSE(visit().owner_died);
  EXPECT_TRUE(child([&] { visit(); }).succeeded());
  EXPECT_EQ(m_block.request, 0u);
  EXPECT_TRUE(m_lock.try_take());
  m_lock.release();
}

// The bug: the one at the gate is stopped, and newcomers wait for it for ever.
TEST_F(outer_lock_of_processes, request_of_one_who_is_stopped_holds_nobody_up) {
  enter();
  child waiter([&] { visit(); });
  await([&] { return m_block.request == 1; });
  waiter.stop();
  leave();
  for (int i = 0; i < 100; ++i) visit();
  EXPECT_TRUE(m_lock.try_take());
  m_lock.release();
  EXPECT_TRUE(child([&] { visit(); }).succeeded());
  waiter.go_on();
  EXPECT_TRUE(waiter.succeeded());
}

// The bug: who takes the lock again at once keeps all others out.
TEST_F(outer_lock_of_processes, one_who_has_waited_is_not_passed_for_ever) {
  constexpr int times = 30;
  child other([&] {
    await([&] { return m_shared->step == 1; });
    for (int i = 0; i < times; ++i) visit();
    m_shared->step = 2;
  });
  while (m_shared->step != 2) {  // hangs
    visit();
    if (m_shared->step == 0) m_shared->step = 1;
  }
  EXPECT_TRUE(other.succeeded());
}

// The bug: a bounded wait ends early, or leaves a request behind.
TEST_F(outer_lock_of_processes, bounded_wait_ends_late_and_leaves_nothing) {
  enter();
  std::jthread([&] {
    for (const nanos d : {nanos{0}, nanos{500'000}, nanos{5'000'000}}) {
      const nanos until = now_ns() + d;
      EXPECT_FALSE(m_lock.take(until));
      EXPECT_GE(now_ns(), until);
    }
  }).join();
  leave();
  EXPECT_EQ(m_block.request, 0u);
  EXPECT_TRUE(m_lock.try_take_fast());
  m_lock.release();
}

using outer_lock_death = outer_lock_of_processes;

// The bug: one who does not hold it frees it.
TEST_F(outer_lock_death, release_by_a_stranger_is_named) {
  EXPECT_DEATH(
      {
        enter();
        std::thread([&] { m_lock.release(); }).join();
      },
      "mortise: unlock of the shm::mutex");
}

}  // namespace
