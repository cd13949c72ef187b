#pragma once

// mortise::shm::mutex: mutual exclusion between the processes of this machine, for threads, fibers and coroutines.
//
//     mortise::shm::mutex jobs{"jobs"};                     // a name that all processes of this user see
//
//     { std::lock_guard hold{jobs}; jobs.token(); }         // from a thread or a fiber
//     { auto hold = co_await jobs.async_lock(); }           // from a coroutine
//     if (jobs.lock_or_stop(stop) == mortise::outcome::owner_died) repair();

#include <chrono>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/base/outcome.hpp>
#include <mortise/lock/call_site.hpp>
#include <mortise/lock/thread_safety.hpp>
#include <mortise/shm/local_side.hpp>
#include <mortise/shm/place.hpp>
#include <mortise/shm/region.hpp>
#include <mortise/wait/executor.hpp>
#include <mortise/wait/limit.hpp>

namespace mortise::inline MORTISE_ABI::shm {

class async_lock_operation;
class async_bounded_lock_operation;
class async_stoppable_lock_operation;

// A mutual exclusion lock between processes. Meets *TimedLockable*.
//
// Promises (docs/proof.md tells what holds each)
// - SM1 At most one party of all processes holds it; what a holder wrote to memory that they share is seen by the next.
// - SM2 A holder that dies, by whatever signal and at whatever instruction, or whose program is replaced, holds nobody up: the next one gets
//   the lock, and is told (owner_died) if the holder had not reached its unlock.
// - SM3 That is told to one tenure, once.
// - SM4 token() is greater than that of every tenure before, of this region and of one that had its name earlier.
// - SM5 Who has waited for a millisecond asks those who come later to let it go first: it is passed about once by each that was on its way.
//   Tasks of one process share a tenure of its keeper for a millisecond while others wait, and end it within another one and a section.
// - SM6 One that waits, and is killed or stopped, holds nobody up: those that come after it wait for it 2 ms at most, those before it an
//   eighth of the time that they have waited, 32 ms at most.
// - SM7 A bounded wait ends after its deadline or stop request only, and leaves nothing behind.
// - SM8 A coroutine whose frame is destroyed while it waits leaves the queue and passes on what it was offered.
// - SM9 What a parent holds, its forked child neither holds nor unlocks: there the unlock does nothing. The child may lock it like everyone.
// - SM10 Unlocking what this process does not hold, or by another thread than the one that took it, prints one line and aborts; so does
//   lock() by the thread that holds it.
// Does not promise
// - That a holder that is stopped (SIGSTOP) or hangs is ever passed: it may go on at any time. A process with tasks that is stopped within some
//   2 ms of its last section may be a holder still.
// - Order beyond SM5. Recursion. That the value it guards is whole after a death: shm::guarded does.
// - Anything against a process of the same user that writes into the region what it likes.
// A thread that calls lock() takes the lock itself; fibers, coroutines and waits with a stop token have it taken by a thread of the library, the
// keeper, which starts with the first of them. What a thread took by lock() the same thread unlocks, what a fiber took that fiber, on any
// thread (checked builds name another one); what async_lock() took may be unlocked anywhere.
class MORTISE_CAPABILITY("mutex") mutex {
 public:
  // Opens the region, or makes it. Throws shm::error where there is something else, std::system_error where the system refuses.
  MORTISE_API explicit mutex(const place& where);
  // With something beside the lock: `make` is called on the payload of a new region.
  MORTISE_API mutex(const place& where, const content& what, void (*make)(void* payload, void* argument),
                    void* argument);
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  // Requires: nobody uses it. Where this process still holds it or waits for it (a static object as the program exits), it stays
  // open until the process is gone. Blocks: until the keeper has ended, some 0.1 s at most.
  ~mutex() { local_side::close(m_side); }

  // Waits until the caller holds the lock. Blocks: the thread or fiber. Cost, when free: for a thread that of a robust mutex and some
  // stores. Throws: in a forked child, when it uses it first, or where the keeper cannot be started, what the constructor throws.
  void lock() MORTISE_ACQUIRE() {
    if (!m_side->try_take_fast()) m_side->take_slow(never);
  }

  // Takes the lock if it is free. Blocks: a thread, where a keeper that lingers or one who was stopped stands before a free lock, 3 ms at most;
  // a fiber, until the keeper has tried: some two switches of threads, 35 ms at most where others are quicker than a keeper that waits.
  [[nodiscard]] bool try_lock() MORTISE_TRY_ACQUIRE(true) {
    return m_side->try_take_fast() || m_side->try_take_slow();
  }
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> d) MORTISE_TRY_ACQUIRE(true) {
    return m_side->try_take_fast() || m_side->take_slow(deadline_after(d));
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> t) MORTISE_TRY_ACQUIRE(true) {
    while (!m_side->try_take_fast() && !m_side->take_slow(deadline_at(t))) {
      if (has_come(t)) return false;
    }
    return true;
  }

  // Waits until the caller holds the lock (`acquired`, or `owner_died`: it holds it, and the holder before died in its section), a stop is
  // requested, or the time has come. What is to be had at once is taken in any case.
  [[nodiscard]] outcome lock_or_stop(std::stop_token stop) { return bounded(wait::bound{std::move(stop)}); }
  template <class Rep, class Period>
  [[nodiscard]] outcome lock_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d) {
    return bounded(wait::bound{std::move(stop), deadline_after(d)});
  }
  template <class Clock, class Duration>
  [[nodiscard]] outcome lock_or_stop(std::stop_token stop, std::chrono::time_point<Clock, Duration> t) {
    for (;;) {
      const outcome how = bounded(wait::bound{stop, deadline_at(t)});
      if (how != outcome::timed_out || has_come(t)) return how;
    }
  }

  // Frees the lock. Never blocks. In the forked child of a process that holds it: nothing.
  void unlock() noexcept MORTISE_RELEASE() { m_side->give_back(); }

  // Of the present tenure. Requires: the caller holds the lock, or its parent did when it was forked off.
  std::uint64_t token() const noexcept { return m_side->token(); }
  // Whether the holder before died in its section, or did so earlier and nobody has been told.
  bool owner_died() const noexcept { return m_side->owner_died(); }

  // Whether this process holds it: not in the forked child of one that does. For the holder.
  bool held_here() const noexcept { return m_side->is_held(); }

  // For coroutines: `auto hold = co_await m.async_lock();` gives a std::unique_lock<mutex>, see mortise::mutex::async_lock. Throws, when it is
  // awaited, what lock() throws.
  [[nodiscard]] async_lock_operation async_lock(wait::executor* where = nullptr,
                                                call_site site = call_site::current()) noexcept;
  template <class Rep, class Period>
  [[nodiscard]] async_bounded_lock_operation async_lock_for(std::chrono::duration<Rep, Period> d,
                                                            wait::executor* where = nullptr,
                                                            call_site site = call_site::current()) noexcept;
  template <class Clock, class Duration>
  [[nodiscard]] async_bounded_lock_operation async_lock_until(std::chrono::time_point<Clock, Duration> t,
                                                              wait::executor* where = nullptr,
                                                              call_site site = call_site::current()) noexcept;
  // `auto [how, hold] = co_await m.async_lock_or_stop(token);` A coroutine does not wait for the keeper to try: where stop has been requested, or
  // the time has come, it may be told so although the lock is free.
  [[nodiscard]] async_stoppable_lock_operation async_lock_or_stop(
      std::stop_token stop, wait::executor* where = nullptr, call_site site = call_site::current()) noexcept;
  template <class Rep, class Period>
  [[nodiscard]] async_stoppable_lock_operation async_lock_or_stop(
      std::stop_token stop, std::chrono::duration<Rep, Period> d, wait::executor* where = nullptr,
      call_site site = call_site::current()) noexcept;

  // What it lies in.
  region& where() noexcept { return m_side->where(); }

 private:
  template <class Limit>
  friend class async_waiting;

  outcome bounded(wait::bound until) {
    if (m_side->try_take_fast()) return m_side->how();
    if (until.stop().stop_possible()) return m_side->take_as_task(until);
    return m_side->take_slow(until.deadline()) ? m_side->how() : outcome::timed_out;
  }

  local_side* m_side;
};

}  // namespace mortise::inline MORTISE_ABI::shm

#include <mortise/shm/async_lock.hpp>
