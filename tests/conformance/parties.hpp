#pragma once

// Parties of every kind, and the stage on which they meet.

#include <atomic>
#include <list>
#include <thread>

#include <mortise/mortise.hpp>
#include <support/foreign.hpp>
#include <support/foreign_context.hpp>
#include <support/foreign_loop.hpp>

#include "locks.hpp"
#if MORTISE_BOOST_FIBER
#include <support/boost_fiber_thread.hpp>
#endif

namespace conformance {

// Starts parties that take a lock; join() waits until all have gone. A section runs in the party's own way: on its thread,
// in its fiber, in its coroutine.
template <class Traits>
class stage {
 public:
  using lock = typename Traits::lock;

  explicit stage(unsigned workers = 2) : m_runtime{{.workers = workers}}, m_tasks{m_runtime} {}
  ~stage() { join(); }

  // A party of kind `k` comes to `m` `rounds` times and runs `section` under it.
  template <class F>
  void go(kind k, lock& m, F section, unsigned rounds = 1) {
    auto blocking = [&m, section, rounds]() mutable {
      for (unsigned i = 0; i < rounds; ++i) Traits::section(m, section);
    };
    if (k == kind::thread) {
      m_threads.emplace_back(blocking);
      return;
    }
    if constexpr (Traits::suspends) {
      if (k == kind::fiber) m_tasks.go(blocking);
      if (k == kind::foreign_context) {
        m_threads.emplace_back([blocking]() mutable {
          const foreign::in_context mine;
          blocking();
        });
      }
      if (k == kind::boost_fiber) go_free(k, blocking);
    }
    if constexpr (Traits::asynchronous) {
      if (k == kind::task) {
        m_tasks.go([&m, section, rounds]() mutable -> mortise::task<> {
          for (unsigned i = 0; i < rounds; ++i) {
            const auto hold = co_await Traits::async_hold(m, nullptr);
            section();
          }
        });
      }
      if (k == kind::foreign_coroutine) {
        m_foreign.fetch_add(1, std::memory_order_relaxed);
        foreign_party(m_loops[m_next_loop++ % std::size(m_loops)], m, section, rounds, m_foreign);
      }
    }
  }

  // Something that a thread or a fiber does, which takes locks as it likes.
  template <class F>
  void go_free(kind k, F f) {
    if (k == kind::fiber) {
      m_tasks.go(f);
    } else if (k == kind::foreign_context) {
      m_threads.emplace_back([f]() mutable {
        const foreign::in_context mine;
        f();
      });
#if MORTISE_BOOST_FIBER
    } else if (k == kind::boost_fiber) {
      if (m_boost.empty()) m_boost.resize(2);
      m_boost.splice(m_boost.end(), m_boost, m_boost.begin());  // in turn
      m_boost.back().go(f);
#endif
    } else {
      m_threads.emplace_back(f);
    }
  }

  mortise::task_scope& tasks() noexcept { return m_tasks; }

  void join() {
    m_threads.clear();
    m_tasks.join();
#if MORTISE_BOOST_FIBER
    m_boost.clear();
#endif
    // acquire: pairs with the release of each party's end
    for (int n; (n = m_foreign.load(std::memory_order_acquire)) != 0;) m_foreign.wait(n);
  }

 private:
  template <class F>
  static foreign::detached foreign_party(foreign::loop& where, lock& m, F section, unsigned rounds,
                                         std::atomic<int>& running) {
    co_await where.change();
    for (unsigned i = 0; i < rounds; ++i) {
      const auto hold = co_await Traits::async_hold(m, &where);
      section();
    }
    if (running.fetch_sub(1, std::memory_order_acq_rel) == 1) running.notify_all();
  }

  std::atomic<int> m_foreign{0};
  foreign::loop m_loops[2];  // so that a holder that waits in its section leaves one to the waiters
  unsigned m_next_loop = 0;
  mortise::runtime m_runtime;
  mortise::task_scope m_tasks;
  std::list<std::jthread> m_threads;
#if MORTISE_BOOST_FIBER
  std::list<foreign::boost_fiber_thread> m_boost;
#endif
};

// Waits in a section, whatever runs it, and lets others of its worker run.
inline void await(const std::atomic<bool>& flag) {
  while (!flag.load(std::memory_order_acquire)) mortise::yield();
}

// What a lock keeps apart. Relaxed atomics only, so that nothing but the lock orders the sections: ThreadSanitizer sees the
// plain count.
class occupancy {
 public:
  void visit() {
    // Now and then the core is left to others between the look and the change, or two would rarely meet.
    if (m_visits % 64 == 0) return visit_slowly();
    enter();
    ++m_visits;
    m_inside.fetch_sub(1, std::memory_order_relaxed);
  }
  void visit_slowly() {
    enter();
    const auto seen = m_visits;
    mortise::yield();
    m_visits = seen + 1;
    m_inside.fetch_sub(1, std::memory_order_relaxed);
  }
  // After all have gone.
  std::uint64_t visits() const { return m_visits; }
  int crowded() const { return m_crowded.load(std::memory_order_relaxed); }

 private:
  void enter() {
    if (m_inside.fetch_add(1, std::memory_order_relaxed) == 0) return;
    m_crowded.fetch_add(1, std::memory_order_relaxed);
  }
  std::atomic<int> m_inside{0};
  std::atomic<int> m_crowded{0};
  std::uint64_t m_visits = 0;
};

// The lock is free, and works.
template <class Traits>
void expect_free(typename Traits::lock& m) {
  if constexpr (Traits::waiters_known) EXPECT_EQ(Traits::waiters(m), 0u);
  if constexpr (Traits::lockable) {
    const bool got = m.try_lock();
    EXPECT_TRUE(got);
    if (got) m.unlock();
  } else {
    Traits::section(m, [] {});
  }
}

}  // namespace conformance
