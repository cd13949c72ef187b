#pragma once

// Who looks on as parties wait, run and are woken: what insight/ is told, and the other layers know nothing about.

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/wait/subject.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI::wait {

// Calls come from whatever party or worker does what they tell of, after all internal locks have been left: they may take their time and
// locks of the operating system, but must not wait for a lock of ours, or suspend. An observer is never destroyed, and may be told of the
// end of waits whose begin it has not seen.
class observer {
 public:
  // `n` is in the queue of `s`, or is about to be, and its party sleeps next. Where it blocks, on its own stack.
  virtual void waits(const waiter&, subject) noexcept {}
  // `n` has what it came for, or has given up.
  virtual void waits_no_more(const waiter&) noexcept {}
  // The caller has freed `s`, for which somebody has been waiting since then (age_clock_now). Not told of each time: not while the
  // next one is on its way.
  virtual void freed(subject, nanos) noexcept {}
  // The calling thread, which is worker number so-and-so of a runtime, goes to a task, on that task's stack or the worker's.
  virtual void enters(const parker&, party, unsigned) noexcept {}
  // It leaves the task: `how` is a literal, "parks", "sleeps", "yields" or "ends".
  virtual void leaves(const parker&, const char*) noexcept {}
  // The caller tells a party to go on, whether that sleeps or not.
  virtual void wakes(const parker&) noexcept {}

 protected:
  ~observer() = default;

 private:
  friend void observe(observer&) noexcept;
  friend void ignore(observer&) noexcept;
  friend struct observers;
  atomic<observer*> m_next{nullptr};
  bool m_is_told = false;
};

// From now on `o` is told, or is not; a call that has begun may still come after `ignore`. Not within one of its calls.
MORTISE_API void observe(observer& o) noexcept;
MORTISE_API void ignore(observer& o) noexcept;

// Those who are told.
struct observers {
#if MORTISE_IS_MODEL
  static constexpr bool any() noexcept { return false; }
#else
  // relaxed: a hint that there may be one
  static bool any() noexcept { return first.load(memory_order_relaxed) != nullptr; }
#endif
  MORTISE_API static void freed(subject s, nanos since) noexcept;
  MORTISE_API static void enters(const parker& task, party kind, unsigned worker) noexcept;
  MORTISE_API static void leaves(const parker& task, const char* how) noexcept;
  MORTISE_API static void wakes(const parker& who) noexcept;

  MORTISE_API static constinit atomic<observer*> first;
  struct walk;
};

}  // namespace mortise::inline MORTISE_ABI::wait
