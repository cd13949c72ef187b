#pragma once

// What guarded<T> needs to wait for a condition: the waiters that know T.

#include <chrono>
#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <type_traits>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/outcome.hpp>
#include <mortise/lock/conditions.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/wait/coroutine.hpp>
#include <mortise/wait/limit.hpp>

namespace mortise::inline MORTISE_ABI {

class lock_probe;

// How a bounded wait for a condition has ended, and, if it is `acquired`, what the closure returned.
template <class R>
struct [[nodiscard]] when_result {
  outcome how;
  std::optional<R> value;
  explicit operator bool() const noexcept { return how == outcome::acquired; }
};
template <>
struct [[nodiscard]] when_result<void> {
  outcome how;
  explicit operator bool() const noexcept { return how == outcome::acquired; }
};

namespace detail {

template <class T, class Pred>
struct when_waiter : conditions::waiter {
  Pred pred;
  explicit when_waiter(Pred p) : pred{std::move(p)} {
    holds = [](const conditions::waiter& n, const void* value) {
      return static_cast<bool>(
          std::invoke(static_cast<const when_waiter&>(n).pred, *static_cast<const T*>(value)));
    };
  }
};

// What runs the closure: makes a when_result of it, or its plain result where the wait has no bound.
template <bool Bounded, class Section>
auto run_when(outcome how, Section&& section) {
  using result = std::invoke_result_t<Section>;
  if constexpr (!Bounded) {
    return section();
  } else if constexpr (std::is_void_v<result>) {
    if (how == outcome::acquired) section();
    return when_result<void>{how};
  } else {
    when_result<result> r{how, std::nullopt};
    if (how == outcome::acquired) r.value.emplace(section());
    return r;
  }
}

// A coroutine that waits for a condition of `g` and then runs `section`.
template <class Guarded, class Pred, class Section, bool Bounded>
class [[nodiscard]] async_when : when_waiter<typename Guarded::value_type, Pred> {
 public:
  async_when(const Guarded& g, wait::bound until, Pred condition, Section section, wait::executor* where)
      : when_waiter<typename Guarded::value_type, Pred>{std::move(condition)},
        m_guarded{g},
        m_section{std::move(section)},
        m_where{where},
        m_limit{std::move(until)} {
    this->step = [](wait::waiter& n, wait::waiter::request what) noexcept {
      auto& me = static_cast<async_when&>(n);
      const Guarded& of = me.m_guarded;
      if (what == wait::waiter::request::leave) {
        of.m_conditions.forget(me, of.m_mutex);
      } else if (!of.m_conditions.step(me, of.m_mutex, &of.m_value, me.m_limit.of(), me.m_how)) {
        return false;
      }
      n.who = nullptr;  // its wait is over: the frame may go
      return true;
    };
  }
  async_when(const async_when&) = delete;
  async_when& operator=(const async_when&) = delete;
  ~async_when() {
    if (this->who == nullptr) return;
    wait::parker& me = *this->who;
    m_guarded.m_conditions.forget(*this, m_guarded.m_mutex);
    me.abandon();
  }

  static bool await_ready() noexcept { return false; }

  template <class Promise>
  bool await_suspend(std::coroutine_handle<Promise> h) noexcept {
    wait::parker& me = wait::coroutine_parker(h.address(), *this, wait::native_promise<Promise>, m_where);
    this->who = &me;
    m_limit.begin(me);
    if (m_guarded.m_conditions.begin(*this, m_guarded.m_mutex, &m_guarded.m_value, m_limit.has_deadline())) {
      m_limit.end();
      this->who = nullptr;
      me.abandon();
      return false;
    }
    me.has_suspended();  // from here on the frame may be running elsewhere
    return true;
  }

  auto await_resume() {
    m_limit.end();
    if (m_how == outcome::acquired) conditions::noted_async(m_guarded.m_mutex, call_site::current());
    return m_guarded.template finish<Bounded>(m_how, this->error, m_section);
  }

 private:
  const Guarded& m_guarded;
  Section m_section;
  wait::executor* m_where;
  wait::limit m_limit;
  outcome m_how = outcome::acquired;
};

// What guarded<T> has with a mutex that has no queue of ours: nothing.
template <class Guarded, class T, class Mutex>
class guarded_conditions {
 protected:
  static void before_unlock(const Mutex&, const T&) noexcept {}
};

// Conditional critical sections. Everywhere `pred` is called with const T&, `f` with T&, and f's result is returned. A bound is a duration (_for), a
// time point (_until; one of a clock that is set meanwhile is taken as the duration that it was), a stop
// token, or a token and a duration (_or_stop).
//
// Promises: G5 of guarded. Blocks: the thread or fiber; the async_ forms are for coroutines, and keep the closures in the frame. Throws: what
// pred or f throws. Cost: whoever changes the value evaluates the conditions of those that wait, up to the first that holds.
template <class Guarded, class T>
class guarded_conditions<Guarded, T, mutex> {
 public:
  // Waits until pred holds, and runs f in place (as with() does) before anybody can change that.
  template <class Pred, class F>
  auto with_when(Pred pred, F f) {
    return when<false>(wait::bound{never}, pred, with(f));
  }
  // A when_result: `if (auto r = g.with_when_for(10ms, pred, f)) use(*r.value);`
  template <class Rep, class Period, class Pred, class F>
  auto with_when_for(std::chrono::duration<Rep, Period> d, Pred pred, F f) {
    return when<true>(wait::bound{deadline_after(d)}, pred, with(f));
  }
  template <class Clock, class Duration, class Pred, class F>
  auto with_when_until(std::chrono::time_point<Clock, Duration> t, Pred pred, F f) {
    return when<true>(wait::bound{deadline_at(t)}, pred, with(f));
  }
  template <class Pred, class F>
  auto with_when_or_stop(std::stop_token stop, Pred pred, F f) {
    return when<true>(wait::bound{std::move(stop)}, pred, with(f));
  }
  template <class Rep, class Period, class Pred, class F>
  auto with_when_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d, Pred pred, F f) {
    return when<true>(wait::bound{std::move(stop), deadline_after(d)}, pred, with(f));
  }

  // The same, and all or nothing (as update() does).
  template <class Pred, class F>
  auto update_when(Pred pred, F f) {
    return when<false>(wait::bound{never}, pred, update(f));
  }
  template <class Rep, class Period, class Pred, class F>
  auto update_when_for(std::chrono::duration<Rep, Period> d, Pred pred, F f) {
    return when<true>(wait::bound{deadline_after(d)}, pred, update(f));
  }
  template <class Clock, class Duration, class Pred, class F>
  auto update_when_until(std::chrono::time_point<Clock, Duration> t, Pred pred, F f) {
    return when<true>(wait::bound{deadline_at(t)}, pred, update(f));
  }
  template <class Pred, class F>
  auto update_when_or_stop(std::stop_token stop, Pred pred, F f) {
    return when<true>(wait::bound{std::move(stop)}, pred, update(f));
  }
  template <class Rep, class Period, class Pred, class F>
  auto update_when_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d, Pred pred, F f) {
    return when<true>(wait::bound{std::move(stop), deadline_after(d)}, pred, update(f));
  }

  // Waits until pred has held at some moment from now on.
  template <class Pred>
  void wait(Pred pred) const {
    when<false>(wait::bound{never}, pred, nothing);
  }
  template <class Rep, class Period, class Pred>
  bool wait_for(std::chrono::duration<Rep, Period> d, Pred pred) const {
    return static_cast<bool>(when<true>(wait::bound{deadline_after(d)}, pred, nothing));
  }
  template <class Clock, class Duration, class Pred>
  bool wait_until(std::chrono::time_point<Clock, Duration> t, Pred pred) const {
    return static_cast<bool>(when<true>(wait::bound{deadline_at(t)}, pred, nothing));
  }
  template <class Pred>
  outcome wait_or_stop(std::stop_token stop, Pred pred) const {
    return when<true>(wait::bound{std::move(stop)}, pred, nothing).how;
  }
  template <class Rep, class Period, class Pred>
  outcome wait_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d, Pred pred) const {
    return when<true>(wait::bound{std::move(stop), deadline_after(d)}, pred, nothing).how;
  }

  template <class Pred, class F>
  auto async_with_when(Pred pred, F f, wait::executor* where = nullptr) {
    return async<false>(wait::bound{never}, std::move(pred), with(std::move(f)), where);
  }
  template <class Rep, class Period, class Pred, class F>
  auto async_with_when_for(std::chrono::duration<Rep, Period> d, Pred pred, F f,
                           wait::executor* where = nullptr) {
    return async<true>(wait::bound::within(d), std::move(pred), with(std::move(f)), where);
  }
  template <class Clock, class Duration, class Pred, class F>
  auto async_with_when_until(std::chrono::time_point<Clock, Duration> t, Pred pred, F f,
                             wait::executor* where = nullptr) {
    return async<true>(wait::bound{deadline_at(t)}, std::move(pred), with(std::move(f)), where);
  }
  template <class Pred, class F>
  auto async_with_when_or_stop(std::stop_token stop, Pred pred, F f, wait::executor* where = nullptr) {
    return async<true>(wait::bound{std::move(stop)}, std::move(pred), with(std::move(f)), where);
  }
  template <class Rep, class Period, class Pred, class F>
  auto async_with_when_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d, Pred pred, F f,
                               wait::executor* where = nullptr) {
    return async<true>(wait::bound::within(d, std::move(stop)), std::move(pred), with(std::move(f)), where);
  }
  template <class Pred, class F>
  auto async_update_when(Pred pred, F f, wait::executor* where = nullptr) {
    return async<false>(wait::bound{never}, std::move(pred), update(std::move(f)), where);
  }
  template <class Rep, class Period, class Pred, class F>
  auto async_update_when_for(std::chrono::duration<Rep, Period> d, Pred pred, F f,
                             wait::executor* where = nullptr) {
    return async<true>(wait::bound::within(d), std::move(pred), update(std::move(f)), where);
  }
  template <class Clock, class Duration, class Pred, class F>
  auto async_update_when_until(std::chrono::time_point<Clock, Duration> t, Pred pred, F f,
                               wait::executor* where = nullptr) {
    return async<true>(wait::bound{deadline_at(t)}, std::move(pred), update(std::move(f)), where);
  }
  template <class Pred, class F>
  auto async_update_when_or_stop(std::stop_token stop, Pred pred, F f, wait::executor* where = nullptr) {
    return async<true>(wait::bound{std::move(stop)}, std::move(pred), update(std::move(f)), where);
  }
  template <class Rep, class Period, class Pred, class F>
  auto async_update_when_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d, Pred pred, F f,
                                 wait::executor* where = nullptr) {
    return async<true>(wait::bound::within(d, std::move(stop)), std::move(pred), update(std::move(f)), where);
  }
  template <class Pred>
  auto async_wait(Pred pred, wait::executor* where = nullptr) const {
    return async<false>(wait::bound{never}, std::move(pred), nothing, where);
  }
  template <class Rep, class Period, class Pred>
  auto async_wait_for(std::chrono::duration<Rep, Period> d, Pred pred,
                      wait::executor* where = nullptr) const {
    return async<true>(wait::bound::within(d), std::move(pred), nothing, where);
  }
  template <class Clock, class Duration, class Pred>
  auto async_wait_until(std::chrono::time_point<Clock, Duration> t, Pred pred,
                        wait::executor* where = nullptr) const {
    return async<true>(wait::bound{deadline_at(t)}, std::move(pred), nothing, where);
  }
  template <class Pred>
  auto async_wait_or_stop(std::stop_token stop, Pred pred, wait::executor* where = nullptr) const {
    return async<true>(wait::bound{std::move(stop)}, std::move(pred), nothing, where);
  }
  template <class Rep, class Period, class Pred>
  auto async_wait_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d, Pred pred,
                          wait::executor* where = nullptr) const {
    return async<true>(wait::bound::within(d, std::move(stop)), std::move(pred), nothing, where);
  }

 protected:
  void before_unlock(mutex& m, const T& value) const noexcept {
    m_conditions.before_unlock(m, std::addressof(value));
  }

 private:
  template <class, class, class, bool>
  friend class async_when;
  friend class mortise::lock_probe;  // tests: who waits

  static constexpr auto nothing = [](const Guarded&) {};
  template <class F>
  static auto with(F&& f) {
    return [f = std::forward<F>(f)](const Guarded& g) mutable { return const_cast<Guarded&>(g).run_with(f); };
  }
  template <class F>
  static auto update(F&& f) {
    return
        [f = std::forward<F>(f)](const Guarded& g) mutable { return const_cast<Guarded&>(g).run_update(f); };
  }

  const Guarded& self() const noexcept { return static_cast<const Guarded&>(*this); }

  template <bool Bounded, class Pred, class Section>
  auto when(const wait::bound& until, Pred& pred, Section section) const {
    when_waiter<T, Pred> n{std::move(pred)};  // beside the links: whoever unlocks has one place to look at
    const Guarded& g = self();
    const outcome how = m_conditions.wait(n, g.m_mutex, std::addressof(g.m_value), until);
    return finish<Bounded>(how, n.error, section);
  }

  // The mutex is held, if `how` says so.
  template <bool Bounded, class Section>
  auto finish(outcome how, const std::exception_ptr& error, Section& section) const {
    const Guarded& g = self();
    return run_when<Bounded>(how, [&]() {
      const typename Guarded::changing hold{g};
      if (error) std::rethrow_exception(error);
      return section(g);
    });
  }

  template <bool Bounded, class Pred, class Section>
  auto async(wait::bound until, Pred pred, Section section, wait::executor* where) const {
    if (until.deadline() == never) conditions::noted_async_wait(self().m_mutex);
    return async_when<Guarded, Pred, Section, Bounded>{self(), std::move(until), std::move(pred),
                                                       std::move(section), where};
  }

  mutable conditions m_conditions;
};

}  // namespace detail
}  // namespace mortise::inline MORTISE_ABI
