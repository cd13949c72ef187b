#pragma once

// Who looks on as parties wait, run and are woken: what insight/ is told, and the other layers know nothing about.

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/base/per_thread.hpp>
#include <mortise/wait/subject.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI::wait {

// Calls come from whatever party or worker does what they tell of, after all internal locks have been left: they may take their time and
// locks of the operating system, but must not wait for a lock of ours, or suspend. An observer is never destroyed, and may be told of the
// end of waits whose begin it has not seen.
class observer {
 public:
  // What it is told of: also who runs where and who wakes whom? Each switch between tasks pays 7 ns where somebody is told of it, be it one
  // who does nothing with that.
  enum class of : bool { waits, tasks_too };
  constexpr observer() noexcept = default;
  constexpr explicit observer(of what) noexcept : m_of{what} {}

  // `n` is in the queue of `s`, or is about to be, and its party sleeps next. Where it blocks, on its own stack.
  virtual void waits(const waiter&, subject) noexcept {}
  // `n` has what it came for, or has given up.
  virtual void waits_no_more(const waiter&) noexcept {}
  // `n`, which has been waiting, waits for something else from now on, and sleeps on. Told by another party, under a lock of ours: it allocates
  // nothing and is short.
  virtual void moves(const waiter&, subject) noexcept {}
  // The caller, who has been waiting, has taken `s`. This and what follows had better be short: others wait.
  virtual void took(subject) noexcept {}
  // The caller has freed `s`, for which somebody has been waiting since then (age_clock_now); 0: since before it was last freed. Not told
  // of each time: a task goes on untold in its turn, while the next one is on its way. That one then finds the lock taken, and the next unlock
  // is told of.
  virtual void freed(subject, nanos) noexcept {}
  // A thread has freed `s` in its turn, likewise. Returns how many more such unlocks of this thread need not be told of: there may be
  // fifty million in a second.
  virtual unsigned goes_on(subject) noexcept { return unlimited; }
  // After either it may have given its core away, and has it again.
  virtual void comes_back(subject) noexcept {}
  static constexpr unsigned unlimited = 1 << 30;

  // Of tasks.
  //
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
  of m_of = of::waits;
};

// What kind of party waits in `n`. Asked by that one, or by who runs its steps.
MORTISE_API party kind_of(const waiter& n) noexcept;

// Whether it stands for one wait of somebody of another library, and for the next one's then, not for a party.
MORTISE_API bool is_for_one_wait(const parker& p) noexcept;

// From now on `o` is told, or is not; a call that has begun may still come after `ignore`. Not within one of its calls.
MORTISE_API void observe(observer& o) noexcept;
MORTISE_API void ignore(observer& o) noexcept;

// How many more unlocks of a thread in its turn need not be told of.
MORTISE_EXTERN_PER_THREAD(unsigned) untold;

// Those who are told.
struct observers {
#if MORTISE_IS_MODEL
  static constexpr bool any() noexcept { return false; }
  static constexpr bool any_of_tasks() noexcept { return false; }
#else
  // relaxed, both: a hint that there may be one
  static bool any() noexcept { return first.load(memory_order_relaxed) != nullptr; }
  static bool any_of_tasks() noexcept { return of_tasks.load(memory_order_relaxed) != 0; }
#endif
  // `n` has taken `s`, which is the end of its wait.
  static void took(const waiter& n, subject s) noexcept {
    if (any()) [[unlikely]]
      tell_taken(n, s);
  }

  // Whoever told `n`, which waits and sleeps on, has put it into the queue of `s`. In the section that it was moved in: it may be gone after.
  static void moved(const waiter& n, subject s) noexcept {
    if (any()) [[unlikely]]
      tell_moved(n, s);
  }

  // `s` was freed for `next`, who is woken after that was told: the system may then run others on this core for long.
  static void freed(subject s, nanos since, const auto& next) noexcept {
    const bool tells = any();
    if (tells) [[unlikely]]
      tell_freed(s, since);
    next.wake();
    if (tells) [[unlikely]]
      tell_back(s);
  }

  // Whether one who goes on while others wait tells of it. Inline: a thread in its turn may ask after each 18 ns.
  static bool tells_of(bool takes_turns) noexcept {
    if (!any()) return false;
    const unsigned left = takes_turns ? load_any_thread(untold) : 0;
    if (left != 0) store_any_thread(untold, left - 1);
    return left == 0;
  }

  // `s` was freed by one who goes on while the next one is on its way: a thread in its turn, or one that has others to make room for anyway.
  MORTISE_API static void goes_on(subject s, bool takes_turns, bool turn_is_over) noexcept;
  MORTISE_API static void enters(const parker& task, party kind, unsigned worker) noexcept;
  MORTISE_API static void leaves(const parker& task, const char* how) noexcept;
  MORTISE_API static void wakes(const parker& who) noexcept;

  MORTISE_API static constinit atomic<observer*> first;
  MORTISE_API static constinit atomic<unsigned> of_tasks;  // how many are told of them
  struct walk;

 private:
  MORTISE_API static void tell_taken(const waiter& n, subject s) noexcept;
  MORTISE_API static void tell_moved(const waiter& n, subject s) noexcept;
  MORTISE_API static void tell_freed(subject s, nanos since) noexcept;
  MORTISE_API static void tell_back(subject s) noexcept;
};

}  // namespace mortise::inline MORTISE_ABI::wait
