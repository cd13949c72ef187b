#pragma once

#include <cstdint>

#include <mortise/base/atomic.hpp>
#include <mortise/base/cache_line.hpp>
#include <mortise/task/alarm.hpp>
#include <mortise/task/forced_migration.hpp>
#include <mortise/task/quick_clock.hpp>
#include <mortise/task/run_queue.hpp>
#include <mortise/task/stack.hpp>
#include <mortise/task/stalled_for.hpp>
#include <mortise/task/switch.hpp>
#include <mortise/task/task_block.hpp>
#include <mortise/task/timers.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

class runtime_core;

// What a coroutine's step came to, written by its awaiters on the stack that runs the step.
enum class step_end : unsigned char { elsewhere, suspended, asleep, yielded, finished };

// A stack on which a worker's loop runs. Coroutines run their steps on it; when one makes a blocking call in
// the middle of a step, the stack is suspended with it like a fiber's, and the worker goes on with its loop
// on another: a blocking call never stalls the worker's other tasks.
struct carrier {
  stack_pool::stack memory;
  suspended rest;
  step_end end = step_end::elsewhere;
  bool displaced = false;  // a blocked step took the stack with it; it is given back after the step
};

// One OS thread of a runtime: its loop, its queue, its timers. Also the wait::context of the tasks it runs.
class alignas(cache_line) worker final : public wait::context {
 public:
  worker(runtime_core& home, unsigned index);
  ~worker();
  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  // The worker that runs the caller, or null. Never inlined: a fiber may change workers whenever it suspends.
  [[gnu::noinline]] static worker* current() noexcept;

  void thread_main();
  static void fiber_main(void* worker);  // the first thing on a fiber's stack

  // wait::context, for the task that runs now
  wait::parker& self() noexcept override;
  void park(nanos deadline) noexcept override;
  void yield() noexcept override;
  wait::party kind() const noexcept override;
  int refill_budget() noexcept override;
  wait::parker* suspend_coroutine(void* frame, wait::waiter* node) noexcept override;

  // The deadline of something that lasts `d` from now.
  nanos deadline_after(nanos d) const noexcept;

  // The running task sleeps at least until `deadline`; only for fibers and blocking calls.
  void sleep_until(nanos deadline) noexcept;

  // The running coroutine's frame goes on at `deadline`, or behind the other runnable tasks. False: no
  // coroutine runs here.
  bool sleep_coroutine(void* frame, nanos deadline) noexcept;
  bool yield_coroutine(void* frame) noexcept;
  // The running coroutine suspends as suspend_coroutine announced, but not for longer than until `deadline`.
  void limit_suspension(nanos deadline) noexcept;
  static void end_of_limit(task_block& t, timers* armed) noexcept;
  // The root frame of `t` is at its final suspension. Called on the thread that ran it.
  static void root_finished(task_block& t, void* frame) noexcept;

  task_block* running() const noexcept { return m_running; }
  runtime_core& home() noexcept { return m_home; }
  const char* runtime_name() const noexcept;
  timers& own_timers() noexcept { return m_timers; }

  // For other threads, which only look.
  glimpse look() const noexcept;
  int thread() const noexcept { return m_thread.load(memory_order_relaxed); }

  void enqueue(task_block& t) noexcept;            // on its own thread, from the loop
  void enqueue_from_task(task_block& t) noexcept;  // on its own thread
  void wake() noexcept;                            // from any
  run_queue& queue() noexcept { return m_queue; }

 private:
  friend struct gdb_view;
  static constexpr unsigned turns_between_polls = 16;
  enum class verdict : unsigned char { parked, asleep, yielded, ended, carrier_free };

  static void carrier_main(void* self);
  [[noreturn]] void loop() noexcept;
  task_block* find() noexcept;
  task_block* straight_on() noexcept;
  void poll(nanos now, unsigned limit) noexcept;
  void nudge(nanos now, nanos interval) noexcept;
  bool gather() noexcept;
  nanos next_patrol(nanos now) noexcept;
  bool steal() noexcept;
  void idle() noexcept;
  void run(task_block& t) noexcept;
  inline void enter(task_block& t, task_block::state s) noexcept;  // in worker_tasks.cpp only
  void runs(task_block* t) noexcept;
  void let_go() noexcept;
  void settle(task_block& t) noexcept;
  void step(task_block& t) noexcept;
  void after_step(task_block& t, carrier& c) noexcept;
  void commit_park(task_block& t) noexcept;
  void put_to_sleep(task_block& t) noexcept;
  bool fired(task_block& t, std::uint16_t round) noexcept;
  worker& leave_stack(task_block& t, verdict why) noexcept;
  void finish(task_block& t) noexcept;
  void prefetch() const noexcept;
  carrier* take_carrier() noexcept;
  void give_back(carrier* c) noexcept;

  runtime_core& m_home;
  const unsigned m_index;
  // Set by runs().
  task_block* m_running = nullptr;
  task_block* m_left = nullptr;    // the task whose stack was left last, until let_go
  task_block* m_handed = nullptr;  // popped by a task that left, for the loop to run
  verdict m_verdict = verdict::parked;
  nanos m_sleeps_until = 0;  // of the task that leaves with `asleep`
  carrier* m_loop_carrier = nullptr;
  carrier* m_step_carrier = nullptr;  // the one on which the running coroutine's step runs
  carrier* m_freed_carrier = nullptr;
  suspended m_loop;              // where the loop goes on when a fiber leaves
  suspended m_native;            // the OS thread's own stack
  void* m_exceptions = nullptr;  // this OS thread's exceptions in flight, see switch.hpp
  unsigned m_turn = 0;
  nanos m_now = 0;  // when the clock was last read
  quick_clock m_clock;
  nanos m_last_nudge = 0;
  nanos m_backlog_since = 0;  // when the queue was last found empty
  nanos m_patrol = 0;
  std::uint64_t m_peers_progress = 0;
  nanos m_peers_stirred = 0;  // when a peer was last seen to be busy, or to have been
  nanos m_gave_at = 0;        // when due sleepers were last given to the first worker
  nanos m_window_start = 0;   // of the measurement of m_load
  nanos m_idle_time = 0;
  atomic<unsigned> m_load{100};  // per cent of the last window that the worker was not idle
  unsigned m_victim = 0;
  std::uint64_t m_victim_switches = 0;
  nanos m_watched_since = 0;

  atomic<int> m_thread{0};              // the kernel's number of it; 0: it does not run yet
  atomic<std::uint64_t> m_switches{0};  // tasks run, by this thread only; peers look at the progress
  std::uint64_t m_budget_switches = 0;
  nanos m_budget_since = 0;
  nanos m_budget_last = 0;
  int m_budget_size = 1024;

#if MORTISE_IS_CHAOS
  bool send_on(task_block& t) noexcept;
  task_block* from_trays() noexcept;
  bool trays_filled() const noexcept;
  bool raid() noexcept;
  tray m_tray;
#endif

  timers m_timers;
  alarm m_alarm;
  run_queue m_queue;
  alignas(cache_line) atomic<std::uint32_t> m_wake{0};
};

}  // namespace mortise::inline MORTISE_ABI::task_detail
