#pragma once

// Leaving one stack for another. Boost.Context (fcontext) does the switch; here is what it leaves out:
// sanitizers must be told, and the C++ exceptions in flight belong to the stack and not to the OS thread.

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/sanitizers.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

// A stack that is not running now: where to go on, and what sanitizers want to know of it.
struct suspended {
  // Relaxed atomic, since a worker may look ahead at the tasks in its queue, only to prefetch, while one is
  // stolen and runs.
  atomic<void*> at{nullptr};
#if MORTISE_ASAN
  const void* bottom = nullptr;
  std::size_t size = 0;
#endif
#if MORTISE_TSAN
  void* shadow = nullptr;
#endif

  suspended() = default;
  suspended(const suspended& o) noexcept { *this = o; }
  suspended& operator=(const suspended& o) noexcept {
    set(o.where());
#if MORTISE_ASAN
    bottom = o.bottom;
    size = o.size;
#endif
#if MORTISE_TSAN
    shadow = o.shadow;
#endif
    return *this;
  }
  void* where() const noexcept { return at.load(memory_order_relaxed); }
  void set(void* where_to_go_on) noexcept { at.store(where_to_go_on, memory_order_relaxed); }
};

// What the Itanium C++ ABI keeps for each OS thread: the active handlers and the number of exceptions being
// thrown. Two fibers suspended inside catch blocks would otherwise rethrow each other's exceptions.
struct exceptions_in_flight {
  void* caught = nullptr;
  unsigned uncaught = 0;
};
// Where this OS thread keeps them; the same for as long as it lives.
void* exceptions_of_this_thread() noexcept;
inline exceptions_in_flight take_exceptions(void* thread) noexcept {
  return std::exchange(*static_cast<exceptions_in_flight*>(thread), exceptions_in_flight{});
}
inline void put_exceptions(void* thread, exceptions_in_flight e) noexcept {
  *static_cast<exceptions_in_flight*>(thread) = e;
}

// Goes to `to`; the caller is kept in `from`, until somebody goes to that. Returns what that one passes as
// `data`. May return on another OS thread.
void* switch_stack(suspended& from, const suspended& to, void* data) noexcept;

// The same from a stack that is never come back to.
[[noreturn]] void switch_for_good(suspended& last, const suspended& to, void* data) noexcept;

// Calls f(with) on a stack that is suspended, which is then as it was, but for what others have written there meanwhile. Requires: it has room; no
// sanitizer, which would have to be told.
void call_on_top(const suspended& s, void (*f)(void*), void* with) noexcept;

// What reports of a sanitizer that knows our stacks call this one: "mortise fiber 123".
void name_stack(const suspended& s, const char* kind, unsigned long number) noexcept;

// Forgets a stack that was left for good.
void drop_stack(suspended& s) noexcept;

// For make_stack only.
void* arrive_first(boost::context::detail::transfer_t t) noexcept;
suspended make_raw_stack(char* base, char* top, void (*start)(boost::context::detail::transfer_t)) noexcept;

// A fresh stack on [base, top). Its first switch calls `Entry(data)`, which never returns: it ends in
// switch_for_good.
template <void (*Entry)(void* data)>
suspended make_stack(char* base, char* top) noexcept {
  return make_raw_stack(base, top, [](boost::context::detail::transfer_t t) { Entry(arrive_first(t)); });
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
