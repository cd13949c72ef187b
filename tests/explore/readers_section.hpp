#pragma once

#include <mutex>
#include <shared_mutex>

#include <explore/verify.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/lock/shared_mutex.hpp>
#include <mortise/wait/budget.hpp>

namespace explore {

inline void let_pass(mortise::nanos d) { mortise::sleep_this_thread_until(mortise::now_ns() + d); }

// The first operation of this thread on a lock goes by the fast path.
inline void by_the_fast_path() { mortise::wait::refill_budget(); }

// What a shared mutex guards in a scenario.
struct readers_section {
  mortise::shared_mutex m;
  plain<int> writers_inside{0};
  plain<int> written{0};

  // So that readers are counted in slots from now on.
  void with_slots() {
    m.lock_shared();
    m.unlock_shared();
  }
  void write() {
    writers_inside = writers_inside + 1;
    require(writers_inside == 1, "one writer at a time");
    written = written + 1;
    writers_inside = writers_inside - 1;
  }
  void look() { require(writers_inside == 0, "no writer beside a reader"); }
  void lock_and_write() {
    const std::lock_guard hold{m};
    write();
  }
  void lock_and_look() {
    const std::shared_lock hold{m};
    look();
  }
};

inline void must_be_free(readers_section& s) {
  require(s.m.try_lock(), "nobody holds it in the end");
  s.m.unlock();
  require(s.m.try_lock_shared(), "nobody holds it in the end");
  s.m.unlock_shared();
}

}  // namespace explore
