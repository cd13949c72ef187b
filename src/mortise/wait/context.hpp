#pragma once

// Who am I, and how do I sleep?
//
// A lock does not know threads, fibers or coroutines. It asks `this_context()` how the party that called it
// sleeps, and wakes a party through its `parker`. An OS thread sleeps on a futex; a fiber of mortise/task
// suspends. Another fiber library makes all locks work inside its fibers by deriving from `context` and
// installing it with `exchange_context` (docs/design/contexts.md).

#include <mortise/base/abi.hpp>
#include <mortise/base/clock.hpp>

namespace mortise::inline MORTISE_ABI::wait {

// Makes one waiting party runnable again.
//
// Promises
// - W1 `unpark()` ends the party's current `park()`, or leaves a permit that makes its next one return at once.
// - W2 It may be called by any thread, at any time, also when the party is long gone: parkers are recycled but never
//   freed, so that a waker may be late.
// - W3 All locks work in parties of a context that somebody else derived from `context` and installed.
// Several permits are one. Does not promise that a wake was meant for the present user of a recycled parker: whoever
// parks loops on its condition. Nor that a permit outlives a yield or a sleep of the party: who has told others where
// to wake it parks next, or looks at its condition after the last of these with something that orders it.
class parker {
 public:
  virtual void unpark() noexcept = 0;

  // True where the operating system runs the party by itself once it is woken. False: it runs when an
  // executor or a worker gets round to it, which may be never; locks then watch an offer that is not taken up
  // (warden.hpp).
  virtual bool runs_by_itself() const noexcept { return false; }

  // The coroutine behind this parker, whose waiter may be in a queue by now, has suspended: it may be resumed
  // from now on, and not before. What woke it in between counts.
  virtual void has_suspended() noexcept {}

  // The coroutine behind this parker does not wait after all, or its frame is being destroyed: forget it.
  virtual void abandon() noexcept {}

  // The coroutine behind this parker is about to suspend: it is to be woken at `deadline` if nobody has done so before. Returns
  // something for wake_no_more; null: this parker has no clock, a wait::timer is needed.
  virtual void* wake_at(nanos) noexcept { return nullptr; }

  // The coroutine behind this parker goes on: what wake_at was told is void. Called on the thread that runs it.
  virtual void wake_no_more(void*) noexcept {}

  // A number to print: the kernel's thread id, the fiber's number.
  virtual unsigned long id() const noexcept { return 0; }

 protected:
  ~parker() = default;
};

enum class party : unsigned char { thread, fiber, coroutine, callback };

constexpr const char* to_string(party p) noexcept {
  switch (p) {
    case party::thread: return "thread";
    case party::fiber: return "fiber";
    case party::coroutine: return "coroutine";
    case party::callback: return "callback";
  }
  return "party";
}

// How the code that runs here and now sleeps. One object may serve all fibers of an OS thread.
class context {
 public:
  // The parker of the running party. Cost: a few loads.
  virtual parker& self() noexcept = 0;

  // Sleeps until `self().unpark()` or the monotonic time `deadline` (`never`: without one). A pending permit
  // makes it return at once. May return spuriously. After the return the party may be on another OS thread:
  // nothing that was read from a thread-local before may be used.
  virtual void park(nanos deadline) noexcept = 0;

  // Lets others of this OS thread run, if any are waiting to.
  virtual void yield() noexcept = 0;

  virtual party kind() const noexcept = 0;

  // Called when the running party has spent its lock budget (see budget.hpp). A context whose parties are not
  // preempted yields here once the party has run for long and others are runnable. Returns how many lock
  // operations may pass before the next call; 0 where a coroutine should yield, which it does itself.
  virtual int refill_budget() noexcept = 0;

  // A native coroutine (see coroutine.hpp) is about to suspend. Keeps `frame`, to resume it after the
  // parker's `unpark`; before each resumption `node->step(claim)` is asked, if a node is given. A null
  // `frame` takes the announcement back. Returns null where no coroutine task runs.
  virtual parker* suspend_coroutine(void* frame, struct waiter* node) noexcept = 0;

 protected:
  ~context() = default;
};

// The context of the caller: the one installed on this OS thread, else the thread's own.
// Never inlined, so that no thread-local address survives a suspension of the caller.
[[gnu::noinline]] MORTISE_API context& this_context() noexcept;

// Whether the caller is a thread and nothing more: `this_context().kind() == party::thread`, without a virtual call where no
// context was ever installed.
[[gnu::noinline]] MORTISE_API bool on_plain_thread() noexcept;

// Installs `c` on this OS thread (null: back to the thread's own) and returns what was installed before (or
// null).
[[gnu::noinline]] MORTISE_API context* exchange_context(context* c) noexcept;

}  // namespace mortise::inline MORTISE_ABI::wait
