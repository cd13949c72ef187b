#pragma once

#include <cstdint>

#include <mortise/base/atomic.hpp>
#include <mortise/base/cache_line.hpp>
#include <mortise/task/switch.hpp>
#include <mortise/wait/context.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

struct scope_core;
struct closure;

// One task: fiber or coroutine. One cache line, recycled but never freed, so that a late unpark finds a
// parker.
//
// 1. Promise     an unpark ends the task's current park or the next; a task is in at most one run queue,
//                and run by one worker
// 2. Word        m_state, exact: idle (free, or being made), running, notified (running, and has a
//                permit), parked, sleeping (only its timer wakes it), untimed (sleeps, but there was no memory for
//                a timer: in a run queue, to ask for one again), due (slept, in a run queue), queued (in a run queue)
// 3. States      running --unpark--> notified; parked --unpark--> queued, put into a run queue;
//                others --unpark--> unchanged
//                running --suspended (by the worker, off its stack)--> parked
//                notified --suspended--> queued; running --sleep--> sleeping or untimed; sleeping --timer--> due
//                untimed --worker--> sleeping or untimed, or running when its time has come
//                queued, due --worker--> running; running --end--> idle
//                parked --looked at (parked_stack.cpp)--> running --done--> parked, or queued if it is notified
// 4. Invariants  I1: who changes the state to queued or due, and nobody else, puts the task into a queue
//                I2: parked is set only when nothing runs on the task's stack any more
// 5. Orderings   O1 unpark's RMW (release) <-> the RMW to running, or the one that finds the permit
//                   (acquire): what the waker did is seen by the woken. Also when the state stays as it is,
//                   so it is an RMW then, too.
//                O2 to parked: release <-> unpark's RMW (acquire), since the unparker links the block into an
//                   inbox, and the RMW to running (acquire): the saved stack is seen by the next worker
//                O3 sleeping is stored relaxed, before the task is put under the timers' lock, which orders it
//                   for whoever fires the timer; from there to running the run queue does. Only the sleep's one
//                   timer changes the state, so due and running are plain stores; a limit of an earlier round, which
//                   may be on another worker and sees the task through no lock, can but unpark it
// 6. Last touch  the block outlives everything; the worker that ran a task to its end recycles it
// 7. Wake ledger an unpark that finds idle, sleeping, untimed or due was late for a wait that is over: it is dropped, and so
//                is a permit that a yield comes upon (wait/context.hpp)
// 8. Evidence    runtime_model.cpp, runtime_test.cpp, tests/scopes/mixed_stress.cpp
class alignas(cache_line) task_block final : public wait::parker {
 public:
  enum state : std::uint32_t { idle, running, notified, parked, sleeping, untimed, due, queued };

  void unpark() noexcept override;
  void abandon() noexcept override;
  unsigned long id() const noexcept override;
  void* wake_at(nanos deadline) noexcept override;
  void wake_no_more(void* armed) noexcept override;

  // Whether it goes on on a stack of its own, and not by a step on a worker's.
  bool has_stack() const noexcept { return kind == wait::party::fiber || on_carrier; }

  atomic<state> m_state{idle};
  atomic<std::uint16_t> timer_round{0};  // a limit of an earlier round is void
  wait::party kind = wait::party::fiber;
  bool on_carrier : 1 = false;  // coroutine: blocked in the middle of a step; it goes on as a fiber does
  bool canary : 1 = false;      // fiber: its stack has no guard page
  bool named : 1 = false;       // has a name in the table of task_names.cpp; set by the task itself
  suspended rest;               // where it goes on: a fiber's stack, or in `at` a coroutine's frame
  union {
    wait::waiter* claims = nullptr;  // coroutine: asked before the frame is resumed
    nanos sleeps_until;              // while untimed
  };
  scope_core* scope = nullptr;
  closure* body = nullptr;
  task_block* next = nullptr;  // in the pool or in a runtime's inbox
#if MORTISE_IS_CHAOS
  unsigned ran_on = nowhere;  // the worker that ran it last
  static constexpr unsigned nowhere = ~0u;
#endif
};

static_assert(sanitized || MORTISE_IS_CHAOS || sizeof(task_block) == cache_line);

// From the pool of the process. Throws std::bad_alloc.
task_block& take_block();
void recycle(task_block& t) noexcept;

// Shows each block that was ever handed out, whatever it is now. Nobody gets one from the pool, or gives one back, meanwhile.
void each_block(void (*look)(const task_block&, void*), void* with);

}  // namespace mortise::inline MORTISE_ABI::task_detail
