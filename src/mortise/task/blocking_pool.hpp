#pragma once

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

// One call on its way to a thread that it may block. Lives with who waits for it: on its stack or in its frame.
struct blocking_call {
  explicit blocking_call(void (*how)(blocking_call&) noexcept) noexcept : run{how} {}
  blocking_call(const blocking_call&) = delete;
  blocking_call& operator=(const blocking_call&) = delete;

  void (*const run)(blocking_call&) noexcept;
  blocking_call* next = nullptr;  // under the pool's lock
  wait::parker* waits = nullptr;  // under the pool's lock; woken when the call is done
  atomic<bool> done{false};       // whoever sees it set may destroy the call
};

// Threads that calls may block.
//
// A call that finds an idle thread is given to that one which went idle last; else a thread is started for it, up to `most`
// of them; else it is queued, first come first served. A thread that was idle for `idle_time` leaves: with few calls the same few
// threads serve them, and the rest go.
//
// I1     a call is queued  =>  no thread is idle, and there is a thread, which looks at the queue when its call is done
// I2     a thread leaves   =>  it has been given no call, which it sees under the lock, where calls are given
// O1     done is stored (release) under the lock, as the last touch of the call <-> the waiting party's load (acquire): what
//        the call did is seen by whoever waited. `waits` is copied before, and parkers are never freed
// O2     a seat's `called` is stored (release) after the call is put into it <-> its thread's load (acquire), which takes no lock
// Last   the thread may go, with its seat, as soon as `called` is stored: the futex wake touches the address alone
// Wake   who gives a call to a seat owes its thread a wake; who runs a call owes its waiting party one
class blocking_pool {
 public:
  static constexpr unsigned most_threads = 512;
  static constexpr nanos longest_idle = 10'000'000'000;

  constexpr explicit blocking_pool(unsigned most = most_threads, nanos idle_time = longest_idle) noexcept
      : m_most{most}, m_idle_time{idle_time} {}

  // Has `c` run by one of the threads, which then wakes `waits`. Throws std::system_error where there is no thread and none can
  // be started: then it never runs.
  void begin(blocking_call& c, wait::parker& waits);

  // Who waited for `c` waits no more. Returns when nothing touches it any longer: at once where it has not begun, and it never will;
  // else when it is done.
  void forget(blocking_call& c) noexcept;

  unsigned threads() noexcept;

  // In a forked child there are no such threads. The calls are the parent's, which runs them.
  void in_child() noexcept;

  os_mutex guard;

 private:
  // Where a thread is idle: on its stack.
  struct seat {
    seat* below = nullptr;
    blocking_call* call = nullptr;
    atomic<std::uint32_t> called{0};
  };

  bool start(blocking_call& first);
  void serve(blocking_call* c) noexcept;
  blocking_call* next_after(blocking_call& finished) noexcept;
  blocking_call* idle(seat& mine) noexcept;
  void leave(const seat& mine) noexcept;

  const unsigned m_most;
  const nanos m_idle_time;
  unsigned m_threads = 0;
  seat* m_idle = nullptr;
  blocking_call* m_first = nullptr;
  blocking_call* m_last = nullptr;
};

}  // namespace mortise::inline MORTISE_ABI::task_detail
