#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI {

namespace task_detail {
class runtime_core;
}

// How a runtime is made. The defaults suit most programs.
struct runtime_options {
  // OS threads that run tasks: 1 to 1,024; 0: as many as the process may use, by its CPU affinity and its
  // cgroup's quota.
  unsigned workers = 0;
  // Bytes of a fiber's stack, guard page included: 16 KiB to 64 MiB, rounded up to a power of two
  // and to four pages; 0: 64 KiB. Committed page by page as touched, so a larger stack costs address space only.
  std::size_t stack_size = 0;
  // Names the threads (first 15 characters) and stands in messages.
  std::string name = "mortise";
  // Sleeps end within microseconds of their time, by arming the kernel's timer early and spinning the rest:
  // about 3 % of a core at a thousand wakes a second, and a tenth of each worker's time at most; who wakes
  // beyond that, or where this is false, is some 20 to 50 us late, as the kernel has it.
  bool precise_sleep = true;
  // A worker that stays in one task for this long without coming back to its scheduler is reported, once for each such stall: it
  // computes, or something blocks its OS thread; the tasks behind it wait. 1 ms to an hour; 0: nobody looks. Time in which the worker
  // had no processor, or the process was stopped, is not counted, so a report may be late and is not false. Cost: a thread
  // that wakes four times in this time.
  std::chrono::milliseconds stall_report{MORTISE_IS_CHECKED ? 100 : 0};
  // What takes that report, which is one line without its end; it is called on that thread. Null: standard error.
  void (*report_stall)(const char* line) noexcept = nullptr;
};

// Threads that run tasks. Work is stolen between them; idle ones sleep.
//
// Promises
// - R1 It has the workers that were asked for, by default as many as affinity and quota allow.
// - R2 A task that computes for long keeps neither the queued tasks of its worker nor those asleep on it for longer
//   than some 20 ms, if another worker is idle.
// - R3 A blocking call of this library in a coroutine's step stalls no other task.
// - R4 Exceptions in flight belong to the task: suspended in a catch block, it goes on with its own on any thread.
// - R5 The destructor returns when its detached tasks have ended and its task scopes are closed.
// - R6 Use in a forked child, and destruction by one of its own tasks, are named and abort.
// - R7 Every fiber's stack has a guard, or a canary where the kernel has no more guards to give.
// - R8 A worker that does not come back to its scheduler is reported with its task's name, as `stall_report` says.
// - R9 Checked builds name a task that suspends or ends while it holds a lock of its OS thread, as a std::mutex, and abort.
//
// Most programs use the default runtime, which starts on first use and is never destroyed: tasks that still
// run when main returns end with the process. Fork: a child has none of the threads; its first use of an
// inherited runtime is named and aborts.
class runtime {
 public:
  // Throws: std::system_error when threads or memory cannot be had, std::invalid_argument for options out of
  // range.
  MORTISE_API explicit runtime(runtime_options options = {});

  // Waits for its detached tasks and for its task scopes to be closed, then ends its threads.
  // Requires: not called from one of its own tasks.
  MORTISE_API ~runtime();

  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;

  // The runtime of tasks that name none: that of the calling task, else the default one.
  MORTISE_API static runtime& current();
  MORTISE_API static runtime& default_runtime();

  MORTISE_API unsigned workers() const noexcept;

  task_detail::runtime_core& core() noexcept { return *m_core; }

 private:
  std::unique_ptr<task_detail::runtime_core> m_core;
};

}  // namespace mortise::inline MORTISE_ABI
