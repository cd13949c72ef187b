// The ways in which a section ends without its end: it is stopped, its process becomes another program, ends, or has a child.
#include <gtest/gtest.h>
#include <pthread.h>

#include <mortise/mortise.hpp>
#include <mortise/shm/guarded.hpp>

#include "refusal.hpp"
#include "stage.hpp"

extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }

namespace crash {
namespace {

using namespace std::chrono_literals;
namespace shm = mortise::shm;
using mortise::outcome;

struct counters {
  std::uint64_t n = 0, copy_of_n = 0;
};

class section : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (in_fibers() && mortise::test::emulated())
      GTEST_SKIP() << "the emulator ends in a child that starts threads";
  }
  static bool in_fibers() { return GetParam(); }

  // In a child: runs f on its own handle, on the main thread or on a fiber.
  template <class F>
  int in_child(F f) const {
    shm::guarded<counters> mine{m_where};
    if (!in_fibers()) {
      f(mine);
      return 0;
    }
    mortise::runtime_options o;
    o.workers = 1;
    o.stall_report = 0ms;
    mortise::runtime runtime{o};
    mortise::task_scope tasks{runtime};
    tasks.go([&] { f(mine); });
    tasks.join();
    return 0;
  }

  static void begin(counters& c) { ++c.n; }
  static void finish(counters& c) { ++c.copy_of_n; }

  // What anybody finds after an end without an end: the lock, the old value, one death to be told of.
  void expect_one_death() {
    const auto first = m_value.try_update_for(long_enough, [](counters& c) {
      EXPECT_EQ(c.n, c.copy_of_n);
      begin(c);
      finish(c);
      return c.n;
    });
    ASSERT_TRUE(first) << "the lock is not to be had";
    EXPECT_EQ(first.how, outcome::owner_died);
    EXPECT_EQ(*first.value, 1u);
    const auto second = m_value.try_update_for(long_enough, [](counters& c) { return c.n; });
    ASSERT_TRUE(second) << "the lock is not to be had again";
    EXPECT_EQ(second.how, outcome::acquired);
    EXPECT_EQ(*second.value, 1u);
  }

  flags m_flags;
  shm::guarded<counters> m_value{shm::place::anonymous()};
  const shm::place m_where = shm::place::descriptor(m_value.where().descriptor());
};

INSTANTIATE_TEST_SUITE_P(of, section, testing::Bool(),
                         [](const auto& i) { return i.param ? "a_fiber" : "a_thread"; });

// The bug: whoever is stopped counts as dead, and goes on in a section that is another's; or it counts as dead for ever.
TEST_P(section, is_kept_while_its_process_is_stopped) {
  child holder{[&] {
    return in_child([&](auto& mine) {
      mine.update([&](counters& c) {
        begin(c);
        m_flags.raise(0);
        m_flags.wait_for(1);
        finish(c);
      });
    });
  }};
  ASSERT_TRUE(m_flags.wait_for(0));
  holder.signal(SIGSTOP);
  EXPECT_EQ(m_value.try_update_for(100ms, [](counters&) {}).how, outcome::timed_out);
  EXPECT_EQ(m_value.read([](const counters& c) { return c.n + c.copy_of_n; }), 0u);  // needs no lock
  m_flags.raise(1);
  EXPECT_EQ(m_value.try_update_for(100ms, [](counters&) {}).how, outcome::timed_out);
  holder.signal(SIGCONT);
  EXPECT_EQ(holder.wait(), 0);
  const auto after =
      m_value.try_update_for(long_enough, [](counters& c) { return c.n == 1 && c.copy_of_n == 1; });
  ASSERT_TRUE(after);
  EXPECT_EQ(after.how, outcome::acquired);
  EXPECT_TRUE(*after.value);
}

TEST_P(section, ends_with_a_process_that_is_killed_while_it_is_stopped) {
  child holder{[&] {
    return in_child([&](auto& mine) {
      mine.update([&](counters& c) {
        begin(c);
        m_flags.raise(0);
        m_flags.wait_for(1);
      });
    });
  }};
  ASSERT_TRUE(m_flags.wait_for(0));
  holder.signal(SIGSTOP);
  holder.signal(SIGKILL);
  expect_one_death();
}

// The bug: the process lives on as another program, and so does its place among the participants, or its lock.
TEST_P(section, ends_when_its_process_becomes_another_program) {
  child holder{[&] {
    return in_child([&](auto& mine) {
      mine.update([&](counters& c) {
        begin(c);
        m_flags.raise(0);
        ::execl("/bin/sleep", "sleep", "60", nullptr);
        ::_exit(9);
      });
    });
  }};
  ASSERT_TRUE(m_flags.wait_for(0));
  expect_one_death();
  EXPECT_FALSE(holder.gone());
}

TEST_P(section, ends_with_its_process) {
  child holder{[&] {
    return in_child([&](auto& mine) {
      mine.update([&](counters& c) {
        begin(c);
        m_flags.raise(0);
        ::_exit(7);
      });
    });
  }};
  ASSERT_TRUE(m_flags.wait_for(0));
  expect_one_death();
  EXPECT_EQ(holder.wait(), 7);
}

TEST_P(section, ends_with_a_process_that_calls_abort) {
  child holder{[&] {
    return in_child([&](auto& mine) {
      mine.update([&](counters& c) {
        begin(c);
        m_flags.raise(0);
        ::signal(SIGABRT, SIG_DFL);
        std::abort();
      });
    });
  }};
  ASSERT_TRUE(m_flags.wait_for(0));
  expect_one_death();
  EXPECT_EQ(holder.wait(), -SIGABRT);
}

// The bug: of all those who wait each is told of the one death, or none is, or one of them hangs.
TEST_P(section, of_the_dead_is_told_to_one_of_all_who_wait) {
  child holder{[&] {
    return in_child([&](auto& mine) {
      mine.update([&](counters& c) {
        begin(c);
        m_flags.raise(0);
        m_flags.wait_for(15);
      });
    });
  }};
  ASSERT_TRUE(m_flags.wait_for(0));
  std::vector<child> waiters;
  for (int i = 0; i < 6; ++i) {
    waiters.emplace_back([&] {
      return in_child([&](auto& mine) {
        m_flags.number(0).fetch_add(1);
        mine.update([&](counters& c, const shm::tenure& t) {
          if (t.owner_died) m_flags.number(1).fetch_add(1);
          if (c.n != c.copy_of_n) m_flags.number(2).fetch_add(1);
          begin(c);
          finish(c);
        });
      });
    });
  }
  while (m_flags.number(0).load() != waiters.size()) std::this_thread::yield();
  std::this_thread::sleep_for(5ms);  // some of them wait in earnest by now
  holder.kill();
  for (child& w : waiters) EXPECT_EQ(w.wait(), 0);
  EXPECT_EQ(m_flags.number(1).load(), 1u);
  EXPECT_EQ(m_flags.number(2).load(), 0u);
  EXPECT_EQ(m_value.read([](const counters& c) { return c.n; }), waiters.size());
}

// The bug: a keeper that has no tasks any more, or always some, keeps the lock of a process that lives.
TEST_P(section, of_others_begin_while_a_process_goes_on_and_when_it_idles) {
  child busy{[&] {
    return in_child([&](auto& mine) {
      while (!m_flags.is_up(1)) {
        mine.update([&](counters& c) {
          begin(c);
          finish(c);
        });
        m_flags.raise(0);
      }
      m_flags.raise(2);
      m_flags.wait_for(3);
    });
  }};
  ASSERT_TRUE(m_flags.wait_for(0));
  const auto mine = [&] { return m_value.try_update_for(long_enough, [](counters&) {}).how; };
  for (int i = 0; i < 20; ++i) ASSERT_EQ(mine(), outcome::acquired) << "beside a process that goes on";
  m_flags.raise(1);
  ASSERT_TRUE(m_flags.wait_for(2));
  EXPECT_EQ(mine(), outcome::acquired) << "beside a process that idles";
  m_flags.raise(3);
  EXPECT_EQ(busy.wait(), 0);
}

// The bug: one that is killed after a fork counts as alive, since its child has copies of its descriptors.
TEST_P(section, ends_with_a_process_whose_child_lives_on) {
  child parent{[&] {
    return in_child([&](auto& mine) {
      mine.update([&](counters& c) {
        begin(c);
        if (::fork() == 0) {
          ::alarm(100);
          m_flags.raise(0);
          if (!m_flags.wait_for(1)) m_flags.raise(2);
          ::_exit(0);
        }
        m_flags.wait_for(15);
      });
    });
  }};
  ASSERT_TRUE(m_flags.wait_for(0));
  parent.kill();
  expect_one_death();
  EXPECT_FALSE(m_flags.is_up(2)) << "the lock was to be had when the child was gone, too";
  m_flags.raise(1);
}

// A thread that ends with the lock is a death as well, though its process lives.
TEST(section_of_a_thread, ends_with_its_thread) {
  shm::mutex m{shm::place::anonymous()};
  std::thread{[&] { m.lock(); }}.join();
  ASSERT_TRUE(m.try_lock_for(long_enough));
  EXPECT_TRUE(m.owner_died());
  m.unlock();
  ASSERT_TRUE(m.try_lock_for(long_enough));
  EXPECT_FALSE(m.owner_died());
  m.unlock();
}

// The bug: the child of a fork amid a section believes that the section is its own, and frees the lock or changes the value.
TEST(section_of_a_thread, belongs_to_the_parent_after_a_fork) {
  shm::guarded<counters> value{shm::place::anonymous()};
  flags f;
  bool is_child = false;
  std::optional<child> other;
  try {
    value.update([&](counters& c) {
      ++c.n;
      other.emplace([&] {
        is_child = true;
        f.raise(0);
        return 0;
      });
      EXPECT_EQ(other->wait(), 0);  // it has ended, in the usual way
      // and one that goes on in the closure
      const pid_t pid = ::fork();
      if (pid == 0) {
        ::alarm(60);
        is_child = true;
        ++c.copy_of_n;
        return;
      }
      int status = 0;
      EXPECT_EQ(::waitpid(pid, &status, 0), pid);
      EXPECT_TRUE(WIFEXITED(status));
      EXPECT_EQ(WEXITSTATUS(status), 3) << "the child's update did not throw";
      EXPECT_EQ(::fork() == 0 ? (::_exit(0), 0) : 0, 0);
      while (::waitpid(-1, nullptr, 0) > 0) {}
      // The lock is still this one's.
      bool had = true;
      std::thread{[&] { had = static_cast<bool>(value.try_update_for(100ms, [](counters&) {})); }}.join();
      EXPECT_FALSE(had);
      ++c.copy_of_n;
    });
  } catch (const shm::error&) {
    ::_exit(is_child ? 3 : 4);
  }
  if (is_child) ::_exit(5);
  EXPECT_TRUE(f.is_up(0));
  const auto after = value.try_update_for(long_enough, [](counters& c) { return c; });
  ASSERT_TRUE(after);
  EXPECT_EQ(after.how, outcome::acquired);
  EXPECT_EQ(after.value->n, 1u);
  EXPECT_EQ(after.value->copy_of_n, 1u);
}

// The bug: the child takes its parent's lock for its own because it is at the same address, or waits for it for ever.
TEST(section_of_a_thread, keeps_out_a_child_that_was_forked_in_it) {
  shm::mutex m{shm::place::anonymous()};
  flags f;
  m.lock();
  child other{[&] {
    m.unlock();  // not its own: does nothing
    if (m.try_lock_for(50ms)) return 1;
    f.raise(0);
    if (!m.try_lock_for(long_enough)) return 2;
    if (m.owner_died()) return 3;
    m.unlock();
    return 0;
  }};
  EXPECT_TRUE(f.wait_for(0));
  m.unlock();
  EXPECT_EQ(other.wait(), 0);
}

}  // namespace
}  // namespace crash
