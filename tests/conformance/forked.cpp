// fork: the child has the forking thread alone, and copies of all locks.
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include <mortise/base/sanitizers.hpp>
#include <support/emulated.hpp>
#include <support/fork_whole.hpp>

#include "broken_locks.hpp"
#include "parties.hpp"

// The child starts threads although the parent had some.
extern "C" const char* __tsan_default_options() { return "die_after_fork=0"; }

namespace conformance {
namespace {

// Runs `f` in a child. True: it returned true. A child that hangs is killed, and named.
template <class F>
testing::AssertionResult in_child(F f) {
  const pid_t child = mortise::test::fork_whole();
  if (child == 0) {
    ::signal(SIGALRM, SIG_DFL);
    ::alarm(20);
    ::_exit(f() ? 0 : 1);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return testing::AssertionFailure() << "no child";
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return testing::AssertionSuccess();
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
    return testing::AssertionFailure() << "the child hangs";
  return testing::AssertionFailure() << "the child failed, status " << status;
}

// In a child: the lock is taken, waited for and handed over, by all kinds.
template <class Traits>
bool serves_all(typename Traits::lock& m) {
  if constexpr (Traits::lockable) {
    if (!m.try_lock()) return false;
    m.unlock();
  }
  occupancy inside;
  unsigned expected = 0;
  {
    stage<Traits> parties;
    for (const kind k : all_kinds) {
      if (!serves<Traits>(k)) continue;
      parties.go(k, m, [&] { inside.visit_slowly(); }, 20);
      expected += 20;
    }
  }
  return inside.crowded() == 0 && inside.visits() == expected;
}

template <class Traits>
class forked : public testing::Test {
 protected:
  void SetUp() override {
    if (mortise::test::emulated()) GTEST_SKIP() << "the emulator ends in a child that starts threads";
  }
};
using forked_locks = list_of<any, belongs_to_its_process, faultless>::types;
TYPED_TEST_SUITE(forked, forked_locks, lock_names);

TYPED_TEST(forked, child_uses_what_nobody_holds) {  // the bug: it belongs to the process that used it first
  typename TypeParam::lock m;
  EXPECT_TRUE(serves_all<TypeParam>(m));
  EXPECT_TRUE(in_child([&] { return serves_all<TypeParam>(m); }));
  EXPECT_TRUE(serves_all<TypeParam>(m));
}

// The bug: a background thread of the library that the parent had started, and that the child waits for.
TYPED_TEST(forked, coroutine_of_the_child_is_resumed) {
  if constexpr (!TypeParam::asynchronous) {
    GTEST_SKIP() << "not promised";
  } else {
    typename TypeParam::lock m;
    const auto handed_over = [&] {
      mortise::atomic<bool> held{false}, taken{false};
      std::jthread holder([&] {
        TypeParam::section(m, [&] {
          held = true;
          await_waiters<TypeParam>(m, 1);
        });
      });
      await(held);
      [](typename TypeParam::lock& lock, mortise::atomic<bool>& flag) -> foreign::detached {
        { const auto hold = co_await TypeParam::async_hold(lock, nullptr); }
        flag = true;
      }(m, taken);
      await(taken);
      return true;
    };
    EXPECT_TRUE(handed_over());
    EXPECT_TRUE(in_child(handed_over));
    EXPECT_TRUE(handed_over());
  }
}

TYPED_TEST(forked,
           child_unlocks_what_the_forking_thread_holds) {  // the bug: the owner is known by what fork changes
  if constexpr (!TypeParam::lockable || !TypeParam::inherited_held) {
    GTEST_SKIP() << "not promised, or held in a section only";
  } else {
    typename TypeParam::lock m;
    m.lock();
    EXPECT_TRUE(in_child([&] {
      bool elsewhere = true;
      std::thread([&] { elsewhere = m.try_lock(); }).join();
      m.unlock();
      return !elsewhere && serves_all<TypeParam>(m);
    }));
    std::jthread([&] { EXPECT_FALSE(m.try_lock()); }).join();  // the parent's is another one
    m.unlock();
    EXPECT_TRUE(serves_all<TypeParam>(m));
  }
}

// The bug: something that all locks share is taken by another thread at the moment of the fork, and never given back in the
// child.
TYPED_TEST(forked, child_uses_one_while_others_are_in_use) {
  if (mortise::sanitized)
    GTEST_SKIP() << "std::mutex hangs too: a sanitizer's runtime is not held over forks";
  typename TypeParam::lock mine, others;
  std::atomic<bool> over{false};
  occupancy inside;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      while (!over) {
        stage<TypeParam> parties;
        for (const kind k : all_kinds) {
          if (k == kind::foreign_context || k == kind::boost_fiber)
            continue;  // what they share is the test's own, and not held over a fork
          if (serves<TypeParam>(k)) parties.go(k, others, [&] { inside.visit(); }, 20);
        }
      }
    });
  }
  for (int i = 0; i < 15; ++i) {
    const auto uses = [&] { return serves_all<TypeParam>(mine); };
    const auto child = in_child(uses);
    EXPECT_TRUE(child) << "fork " << i;
    if (!child) break;
  }
  over = true;
  threads.clear();
  EXPECT_EQ(inside.crowded(), 0);
}

}  // namespace
}  // namespace conformance
