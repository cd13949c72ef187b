#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include <mortise/base/clock.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

class task_block;

// What a look at a worker shows. Hints: nothing orders them but that a worker counts up before it runs the next task.
struct glimpse {
  std::uint64_t turns;     // tasks it has entered
  const task_block* task;  // the one that it runs; null: none
};

// What the kernel has done for a thread.
struct schedule {
  nanos ran = 0;          // on a processor
  nanos waited = 0;       // runnable, for one that was free in the end
  bool runnable = false;  // now: it runs, or waits for a processor
};
// Of a thread of this process. All zero where the kernel does not tell (/proc is not mounted, no CONFIG_SCHED_INFO).
schedule schedule_of(int thread) noexcept;

// How long a worker has been in one task.
//
// It is what the task ran there, and for how long it was blocked. For how long it was runnable and had no processor does not count: an
// overloaded machine is no stall. Blocked it was for at most one period between two looks, however late the second one comes: a
// process that was stopped sees one look go by. What comes out is rather too short than too long.
class stalled_for {
 public:
  // A look, `period` after the one before. `schedule_now()` is asked for only where the task is still the same.
  template <class Schedule>
  nanos look(glimpse now, nanos period, Schedule schedule_now) {
    if (now.task == nullptr || now.turns != m_seen.turns || now.task != m_seen.task) {
      m_seen = now;
      m_first = true;
      m_stalled = 0;
      m_reported = false;
      return 0;
    }
    const schedule before = std::exchange(m_last, schedule_now());
    if (!std::exchange(m_first, false)) m_stalled += counted(before, m_last, period);
    return m_stalled;
  }

  nanos total() const noexcept { return m_stalled; }
  const glimpse& seen() const noexcept { return m_seen; }

  // True once for each stall.
  bool is_news() noexcept { return !std::exchange(m_reported, true); }

 private:
  static nanos counted(const schedule& before, const schedule& now, nanos period) noexcept {
    if (now.ran == 0) return period;  // the kernel does not tell
    const nanos ran = now.ran - before.ran;
    // The kernel adds up a wait for a processor when it is over: while one may last, nothing is said of the rest.
    if (now.runnable) return ran;
    return ran + std::max<nanos>(0, period - ran - (now.waited - before.waited));
  }

  glimpse m_seen{};
  schedule m_last;      // at the last look that found the task there again
  bool m_first = true;  // there was none yet
  nanos m_stalled = 0;
  bool m_reported = false;
};

}  // namespace mortise::inline MORTISE_ABI::task_detail
