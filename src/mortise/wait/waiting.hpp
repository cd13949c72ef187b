#pragma once

// The waiting loops of every lock that keeps a queue of waiters: for those who block, and for coroutines.

#include <concepts>
#include <coroutine>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/outcome.hpp>
#include <mortise/wait/budget.hpp>
#include <mortise/wait/context.hpp>
#include <mortise/wait/coroutine.hpp>
#include <mortise/wait/limit.hpp>
#include <mortise/wait/subject.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI::wait {

// One way to get something of a lock (to lock it, to lock it shared, to take a permit). One that has a may_leave() is not ended by a limit
// while that says false.
template <class A>
concept acquisition = std::copy_constructible<A> && requires(A a, waiter& n) {
  {
    a.take_or_queue(n)
  } noexcept -> std::same_as<bool>;  // true: had at once. False: `n` is queued, and will be told to come
  {
    a.claim(n)
  } noexcept
      -> std::same_as<bool>;  // `n` was woken. True: it has it, and is in no queue. False: it is queued
  { a.leave(n) } noexcept;    // `n`, which is queued, will not come: passes on what it was told
};

// What an acquisition waits for, where it can be told: by its subject().
template <class A>
void note_wait_for(const A& a, const waiter& n, bool has_deadline) noexcept {
  if constexpr (requires { a.subject(); }) {
    struct subject s = a.subject();
    s.has_deadline = has_deadline;
    note_wait(n, s);
  }
}
template <class A>
void note_end_of(const A& a, const waiter& n) noexcept {
  if constexpr (requires { a.subject(); }) note_end(n);
}

// Blocks the calling thread or fiber until it has what it came for, or the bound is reached.
template <acquisition A>
outcome wait_for(A a, const bound& until) noexcept {
  waiter n;
  n.who = &this_context().self();
  n.notes_its_end = true;
  if (a.take_or_queue(n)) return outcome::acquired;
  note_wait_for(a, n, until.deadline() != never);
  const stop_wake on_stop{until.stop(), wake_on_stop{n.who}};
  for (;;) {
    // Asked for again each time: after a park a fiber may be on another OS thread.
    this_context().park(until.deadline());
    if (a.claim(n)) {
      note_end_of(a, n);
      return outcome::acquired;
    }
    if (const auto how = until.ended()) {
      a.leave(n);
      note_end_of(a, n);
      return *how;
    }
  }
}

// Instead of a limit, for waits that end in one way only.
struct no_limit {
  static void begin(parker&) noexcept {}
  static void end() noexcept {}
  static constexpr bool has_deadline() noexcept { return false; }
};

// The same for coroutines: what a lock's `async_` operation derives from. Awaited at once, by one coroutine.
template <acquisition A, class Limit = no_limit>
class async_wait : public waiter {
 public:
  explicit async_wait(A a, executor* where, Limit l = {}) noexcept
    requires std::same_as<Limit, no_limit>
      : m_acquisition{std::move(a)}, m_where{where}, m_limit{l} {
    step = &on_step;
  }
  async_wait(A a, executor* where, bound b) noexcept
    requires(!std::same_as<Limit, no_limit>)
      : m_acquisition{std::move(a)}, m_where{where}, m_limit{std::move(b)} {
    step = &on_step;
  }
  async_wait(const async_wait&) = delete;
  async_wait& operator=(const async_wait&) = delete;
  ~async_wait() {
    if (who == nullptr) return;
    // The frame is destroyed while it waits, queued or not: a coroutine that gave way first is in no queue yet.
    if (queued()) m_acquisition.leave(*this);
    note_over();
    who->abandon();
  }

  bool await_ready() noexcept {
    if constexpr (requires { m_acquisition.try_fast(); }) return m_acquisition.try_fast();
    return false;
  }

  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) noexcept {
    const bool go_on = budget_left() >= 0 || refill_budget();
    parker& me = coroutine_parker(h.address(), *this, native_promise<Promise>, m_where);
    who = &me;
    m_limit.begin(me);
    if (!go_on) {
      me.unpark();  // resumed behind the others that are runnable, it competes then
    } else if (m_acquisition.take_or_queue(*this)) {
      m_limit.end();
      who = nullptr;
      me.abandon();
      return false;
    }
    if (go_on) note();
    me.has_suspended();  // from here on the frame may be running elsewhere
    return true;
  }

 protected:
  // What the wait has come to, once the coroutine goes on.
  outcome result() noexcept {
    m_limit.end();
    return m_how;
  }
  const A& lock_to_get() const noexcept { return m_acquisition; }

 private:
  static bool on_step(waiter& n, request what) noexcept {
    auto& me = static_cast<async_wait&>(n);
    if (what == request::leave) {
      if (n.queued()) me.m_acquisition.leave(n);
    } else if (!me.m_acquisition.claim(n)) {
      if (!me.notes_its_end) me.note();  // it gave way first, and waits only now
      const auto how = me.ended();
      if (!how) return false;
      me.m_acquisition.leave(n);
      me.m_how = *how;
    }
    me.note_over();
    n.who = nullptr;  // its wait is over: the frame may go
    return true;
  }

  void note() noexcept {
    notes_its_end = true;
    note_wait_for(m_acquisition, *this, m_limit.has_deadline());
  }
  void note_over() noexcept {
    if (notes_its_end) note_end_of(m_acquisition, *this);
  }

  std::optional<outcome> ended() const noexcept {
    if constexpr (std::same_as<Limit, no_limit>) {
      return std::nullopt;
    } else {
      if constexpr (requires { m_acquisition.may_leave(); }) {
        if (!m_acquisition.may_leave()) return std::nullopt;
      }
      return m_limit.ended();
    }
  }

  A m_acquisition;
  executor* m_where;
  [[no_unique_address]] Limit m_limit;
  outcome m_how = outcome::acquired;
};

}  // namespace mortise::inline MORTISE_ABI::wait
