#pragma once

// A mutex between processes, and parties of this one and of children that take it.

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>
#include <mutex>
#include <optional>
#include <thread>

#include <mortise/mortise.hpp>
#include <mortise/shm/mutex.hpp>
#include <support/emulated.hpp>
#include <support/forked.hpp>

// Children start threads; and of a mutex that their parent held as they were forked ThreadSanitizer goes on to think, in them, that it is
// held by a thread of theirs.
extern "C" const char* __tsan_default_options() { return "die_after_fork=0:report_mutex_bugs=0"; }

namespace mortise::test {

class shm_stage : public testing::Test {
 protected:
  enum class kind { thread, fiber };
  static constexpr kind kinds[]{kind::thread, kind::fiber};

  struct seen {
    atomic<int> step{0};
    atomic<int> visits{0};
    atomic<std::uint64_t> token{0};
    long n = 0;  // guarded by m
  };

  void SetUp() override {
    if (emulated()) GTEST_SKIP() << "the emulator knows no robust mutexes";
  }

  // Runs `f` as a thread that is nothing else, or as a fiber.
  template <class F>
  static void as(kind k, F f) {
    if (k == kind::thread) return std::jthread(f).join();
    runtime rt{{.workers = 1}};
    task_scope tasks{rt};
    tasks.go(f);
    tasks.join();
  }

  template <class F>
  static void as_each(F f) {
    for (const kind k : kinds) {
      SCOPED_TRACE(k == kind::thread ? "thread" : "fiber");
      as(k, f);
    }
  }

  // A child that holds the lock until it is killed, or `step` is 2.
  void hold_in_a_child(std::optional<child>& c, kind k) {
    m_shared->step = 0;
    c.emplace([this, k] {
      as(k, [this] {
        const std::lock_guard hold{m};
        m_shared->token = m.token();
        m_shared->step = 1;
        await([this] { return m_shared->step == 2; });
      });
    });
    await([this] { return m_shared->step == 1; });
  }

  // Until somebody, in whichever process, waits for the lock.
  void await_request() {
    await([this] { return m.where().lock().request == 1; });
  }

  shm::mutex m{shm::place::anonymous()};
  shared_with_children<seen> m_shared;
};

}  // namespace mortise::test
