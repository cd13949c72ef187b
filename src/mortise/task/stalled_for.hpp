#pragma once

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
// It is counted in looks, not by the clock: a process that was stopped, or a watching thread that the machine kept waiting, sees one
// look go by, however long it took. For how long the worker was runnable and had no processor is deducted: an overloaded
// machine is no stall. What it ran and what it was blocked counts. So what comes out is rather too short than too long.
class stalled_for {
 public:
  // A look, `period` after the one before. `schedule_now()` is asked for only where the task is still the same.
  template <class Schedule>
  nanos look(glimpse now, nanos period, Schedule schedule_now) {
    if (now.task == nullptr || now.turns != m_seen.turns || now.task != m_seen.task) {
      m_seen = now;
      m_looks = 0;
      m_stalled = 0;
      m_reported = false;
      return 0;
    }
    const schedule before = std::exchange(m_last, schedule_now());
    if (m_looks++ == 0) {
      m_first = m_last;
      return 0;
    }
    // Where it waits for a processor since the last look, the kernel adds that up only when it has got one.
    if (m_last.runnable && m_last.ran == before.ran && m_last.ran != 0) return m_stalled;
    m_stalled = (m_looks - 1) * period - (m_last.waited - m_first.waited);
    return m_stalled;
  }

  nanos total() const noexcept { return m_stalled; }
  const glimpse& seen() const noexcept { return m_seen; }

  // True once for each stall.
  bool is_news() noexcept { return !std::exchange(m_reported, true); }

 private:
  glimpse m_seen{};
  schedule m_first;  // at the first look that found the task there again
  schedule m_last;
  nanos m_looks = 0;  // that found it there again
  nanos m_stalled = 0;
  bool m_reported = false;
};

}  // namespace mortise::inline MORTISE_ABI::task_detail
