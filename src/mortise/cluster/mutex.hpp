#pragma once

// mortise::cluster::mutex: mutual exclusion among machines, by a key in a consensus store.
//
//     mortise::cluster::mutex m{here, "jobs/nightly"};
//     {
//       std::lock_guard hold{m};
//       write(file, m.token());           // the file refuses lower tokens: base/token_gate.hpp
//     }
//     auto hold = co_await m.async_lock();
//
// (tests/cluster/mutex_test.cpp has it running on a store in memory)

#include <chrono>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string_view>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/base/outcome.hpp>
#include <mortise/base/token_gate.hpp>
#include <mortise/cluster/front.hpp>
#include <mortise/cluster/numbers.hpp>
#include <mortise/cluster/session.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/wait/limit.hpp>
#include <mortise/wait/waiting.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// Meets *TimedLockable*. The same name in the same store is the same lock, in however many processes and objects.
//
// Promises
// - CL5 Among processes first come, first served, by the store's count of who asked first. Nobody polls: one who waits watches the key before
//   his own.
// - CL6 In one process its parties, of whatever kind, queue on a mortise::mutex; one of them at a time stands for the process outside. The key is
//   handed from one to the next without the store, within the bounds, and then given back though others wait here.
// - CL7 A bounded wait that says false, timed_out or stopped leaves nothing behind: no key, and no request that would make one later.
// - CL8 token() is that of the key: no acquisition after this one has a lower one, those of other processes have higher ones. Local
//   handovers share it.
// - CL9 lost() is requested at the local deadline of the lease, or when the key is seen gone: on a thread that renews nothing.
// - CL10 unlock does not wait for the store: the key is given back behind it, and asked to be until the store has confirmed it.
// Does not promise that nobody else holds it: a lease may be over before its holder knows, or while he is paused. What must not be written
// then is written through guarded<T>, or to something that refuses old tokens. lost() is an early warning, and never a proof.
// Requires: the session outlives it; nobody holds it or waits for it when it is destroyed. Throws, where it says so: refused_error, what the
// store would not do (no permission, say); std::invalid_argument, a name that names.hpp does not allow.
// Cost: free in the store, one round trip to lock; handed over within the process, none. Waits for ever while the store cannot be reached.
class mutex {
 public:
  mutex(session& here, std::string_view name, handover_bounds b = {})
      : m_front{std::make_shared<front>(here.core(), lock_names{name}, b, false)} {
    m_front->listen();
  }
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;
  MORTISE_API ~mutex();

  // Blocks: the thread or fiber. Throws: refused_error.
  void lock() { static_cast<void>(m_front->enter(wait::bound{never})); }

  // Waits for the store's answer, no longer than session_options::answer_within, and for nobody else.
  [[nodiscard]] bool try_lock() { return m_front->try_enter(); }

  // No longer than `d`, or until `t`.
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> d) {
    return m_front->enter(wait::bound{deadline_after(d)}) == outcome::acquired;
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> t) {
    while (m_front->enter(wait::bound{deadline_at(t)}) != outcome::acquired) {
      if (has_come(t)) return false;
    }
    return true;
  }

  // `acquired`, `stopped` or `timed_out`, and but for the first nothing is left behind.
  [[nodiscard]] outcome lock_or_stop(std::stop_token stop) {
    return m_front->enter(wait::bound{std::move(stop)});
  }
  template <class Rep, class Period>
  [[nodiscard]] outcome lock_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d) {
    return m_front->enter(wait::bound{std::move(stop), deadline_after(d)});
  }

  // Requires: it is held. Never waits for the store.
  void unlock() noexcept { m_front->exit(); }

  // While it is held. What the token is good for: base/token_gate.hpp.
  [[nodiscard]] mortise::token token() const { return m_front->token(); }
  [[nodiscard]] std::stop_token lost() const { return m_front->lost(); }

  [[nodiscard]] numbers counted() const { return m_front->counted(); }

  // For coroutines, where they resume as with mortise::mutex: a std::unique_lock, which may be unlocked on any thread.
  class async_operation;
  class async_bounded_operation;
  class async_stoppable_operation;
  [[nodiscard]] async_operation async_lock(wait::executor* where = nullptr) noexcept;
  // The same, no longer than `d` or until `t`: the std::unique_lock owns nothing where the deadline came first.
  template <class Rep, class Period>
  [[nodiscard]] async_bounded_operation async_lock_for(std::chrono::duration<Rep, Period> d,
                                                       wait::executor* where = nullptr) noexcept;
  template <class Clock, class Duration>
  [[nodiscard]] async_bounded_operation async_lock_until(std::chrono::time_point<Clock, Duration> t,
                                                         wait::executor* where = nullptr) noexcept;
  // `auto [how, hold] = co_await m.async_lock_or_stop(token, 5s);`
  [[nodiscard]] async_stoppable_operation async_lock_or_stop(std::stop_token stop,
                                                             wait::executor* where = nullptr) noexcept;
  template <class Rep, class Period>
  [[nodiscard]] async_stoppable_operation async_lock_or_stop(std::stop_token stop,
                                                             std::chrono::duration<Rep, Period> d,
                                                             wait::executor* where = nullptr) noexcept;

 private:
  struct one_visit {
    front::visit visit;
  };
  template <class Limit>
  class async_limited;
  const std::shared_ptr<front> m_front;
};

class [[nodiscard]] mutex::async_operation : one_visit, public wait::async_wait<front::entry> {
 public:
  async_operation(mutex& m, wait::executor* where) noexcept
      : async_wait<front::entry>{front::entry{m.m_front.get(), &visit}, where}, m_mutex{m} {}

  std::unique_lock<mutex> await_resume() {
    if (visit.at == front::visit::place::refused) m_mutex.m_front->throw_refused(visit);
    return {m_mutex, std::adopt_lock};
  }

 private:
  mutex& m_mutex;
};

template <class Limit>
class mutex::async_limited : one_visit, public wait::async_wait<front::entry, Limit> {
 public:
  async_limited(mutex& m, wait::executor* where, wait::bound until) noexcept
      : wait::async_wait<front::entry, Limit>{front::entry{m.m_front.get(), &visit}, where, std::move(until)},
        m_mutex{m} {}

 protected:
  lock_result<std::unique_lock<mutex>> ended() {
    const outcome how = this->result();
    if (visit.at == front::visit::place::refused) m_mutex.m_front->throw_refused(visit);
    if (how != outcome::acquired) return {how, std::unique_lock{m_mutex, std::defer_lock}};
    return {how, std::unique_lock{m_mutex, std::adopt_lock}};
  }

 private:
  mutex& m_mutex;
};
class [[nodiscard]] mutex::async_bounded_operation : public async_limited<wait::time_limit> {
 public:
  using async_limited::async_limited;
  std::unique_lock<mutex> await_resume() { return ended().hold; }
};
class [[nodiscard]] mutex::async_stoppable_operation : public async_limited<wait::limit> {
 public:
  using async_limited::async_limited;
  lock_result<std::unique_lock<mutex>> await_resume() { return ended(); }
};

inline mutex::async_operation mutex::async_lock(wait::executor* where) noexcept { return {*this, where}; }
template <class Rep, class Period>
mutex::async_bounded_operation mutex::async_lock_for(std::chrono::duration<Rep, Period> d,
                                                     wait::executor* where) noexcept {
  return {*this, where, wait::bound::within(d)};
}
template <class Clock, class Duration>
mutex::async_bounded_operation mutex::async_lock_until(std::chrono::time_point<Clock, Duration> t,
                                                       wait::executor* where) noexcept {
  return {*this, where, wait::bound{deadline_at(t)}};
}
inline mutex::async_stoppable_operation mutex::async_lock_or_stop(std::stop_token stop,
                                                                  wait::executor* where) noexcept {
  return {*this, where, wait::bound{std::move(stop)}};
}
template <class Rep, class Period>
mutex::async_stoppable_operation mutex::async_lock_or_stop(std::stop_token stop,
                                                           std::chrono::duration<Rep, Period> d,
                                                           wait::executor* where) noexcept {
  return {*this, where, wait::bound::within(d, std::move(stop))};
}

}  // namespace mortise::inline MORTISE_ABI::cluster
