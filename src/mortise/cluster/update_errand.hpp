#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/outcome.hpp>
#include <mortise/cluster/guarded_core.hpp>
#include <mortise/lock/guarded_result.hpp>
#include <mortise/wait/limit.hpp>
#include <mortise/wait/waiting.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// How an update has ended: `acquired` means that it was applied, and there is what the closure returned.
template <class R>
struct [[nodiscard]] update_result {
  outcome how;
  std::optional<R> value{};
  explicit operator bool() const noexcept { return how == outcome::acquired; }
};
template <>
struct [[nodiscard]] update_result<void> {
  outcome how;
  explicit operator bool() const noexcept { return how == outcome::acquired; }
};

}  // namespace mortise::inline MORTISE_ABI::cluster

namespace mortise::inline MORTISE_ABI::cluster::detail {

// One update from the queue to the news of its commit, as one wait: in, the closure, joined, told; and again, if it is to be done again. Written as
// a wait::acquisition so that it is the same for who blocks and for coroutines.
class errand {
 public:
  bool advance(wait::waiter& n) noexcept;
  void leave(wait::waiter& n) noexcept;
  bool may_leave() const noexcept { return m_place != place::joined; }
  wait::subject subject() const noexcept { return m_front.subject(); }

 protected:
  explicit errand(value_front& f) noexcept : m_front{f} {}
  errand(const errand&) = delete;
  errand& operator=(const errand&) = delete;
  ~errand() = default;

  virtual void run() = 0;  // inside: changes the working copy; if it throws, it has not

  void rethrow() const {
    if (m_error) std::rethrow_exception(m_error);
    if (m_visit.at == front::visit::place::refused) m_front.throw_refused(m_visit);
  }
  value_front& m_front;
  value_front::ticket m_ticket;

 private:
  enum class place : unsigned char { begins, enters, joined, done };
  bool entered() noexcept;
  front::visit m_visit;
  std::exception_ptr m_error;
  place m_place = place::begins;
};

inline bool errand::advance(wait::waiter& n) noexcept {
  for (;;) {
    switch (m_place) {
      case place::begins:
        m_visit = {};
        m_place = place::enters;
        if (!front::entry{&m_front, &m_visit}.take_or_queue(n)) return false;
        if (entered()) return true;
        break;
      case place::enters:
        if (!front::entry{&m_front, &m_visit}.claim(n)) return false;
        if (entered()) return true;
        break;
      case place::joined:
        if (!value_front::news{&m_front, &m_ticket}.claim(n)) return false;
        if (m_ticket.what() != value_front::fate::again) {
          m_place = place::done;
          return true;
        }
        m_place = place::begins;
        break;
      case place::done: return true;
    }
  }
}

// True: that was all.
inline bool errand::entered() noexcept {
  m_place = place::done;
  if (m_visit.at != front::visit::place::inside) return true;
  try {
    run();
  } catch (...) {
    m_error = std::current_exception();
    m_front.exit_without_change();
    return true;
  }
  m_place = place::joined;
  m_front.join(m_ticket);
  return false;
}

inline void errand::leave(wait::waiter& n) noexcept {
  if (m_place == place::joined) {
    value_front::news{&m_front, &m_ticket}.leave(n);
  } else {
    front::entry{&m_front, &m_visit}.leave(n);
  }
}

struct errand_way {
  errand* e;
  wait::subject subject() const noexcept { return e->subject(); }
  bool take_or_queue(wait::waiter& n) noexcept { return e->advance(n); }
  bool claim(wait::waiter& n) noexcept { return e->advance(n); }
  void leave(wait::waiter& n) noexcept { e->leave(n); }
  bool may_leave() const noexcept { return e->may_leave(); }
};

template <class T, class Codec, class F>
class update_errand final : public errand {
 public:
  using returned = std::invoke_result_t<F&, T&>;
  using result = std::conditional_t<std::is_void_v<returned>, void, std::decay_t<returned>>;

  update_errand(guarded_core<T, Codec>& c, F& f) noexcept : errand{c}, m_core{c}, m_closure{f} {
    mortise::detail::check_result<returned, T>();
  }
  errand_way way() noexcept { return {this}; }

  // Until it is told, or the bound is reached before it has joined.
  outcome wait_until(const wait::bound& until) noexcept {
    wait::waiter n;
    n.who = &wait::this_context().self();
    if (advance(n)) return outcome::acquired;
    const wait::stop_wake on_stop{until.stop(), wait::wake_on_stop{n.who}};
    for (;;) {
      wait::this_context().park(may_leave() ? until.deadline() : never);
      if (advance(n)) return outcome::acquired;
      if (!may_leave()) continue;
      if (const auto how = until.ended()) {
        leave(n);
        return *how;
      }
    }
  }

  // Once it is over.
  outcome outcome_or_throw() const {
    rethrow();
    switch (m_ticket.what()) {
      case value_front::fate::lost: return outcome::lost;
      case value_front::fate::unknown: return outcome::unknown;
      default: m_ticket.rethrow(m_core.names()); return outcome::acquired;
    }
  }
  result result_or_throw() {
    rethrow();
    m_ticket.rethrow(m_core.names());
    return take();
  }
  // Of a wait that ended so.
  auto ended(outcome how) {
    update_result<result> r{how == outcome::acquired ? outcome_or_throw() : how};
    if constexpr (!std::is_void_v<result>) {
      if (r) r.value.emplace(take());
    }
    return r;
  }
  result take() {
    if constexpr (!std::is_void_v<result>) return std::move(*m_result);
  }

 private:
  struct nothing {};
  void run() override {
    T copy(m_core.working());
    if constexpr (std::is_void_v<result>) {
      std::invoke(m_closure, copy);
    } else {
      m_result.emplace(std::invoke(m_closure, copy));
    }
    m_core.put(std::move(copy));
  }

  guarded_core<T, Codec>& m_core;
  F& m_closure;
  std::conditional_t<std::is_void_v<result>, nothing,
                     std::optional<std::conditional_t<std::is_void_v<result>, int, result>>>
      m_result;
};

// With the closure in it, for a coroutine's frame.
template <class T, class Codec, class F>
struct kept_errand {
  kept_errand(guarded_core<T, Codec>& c, F f) : closure{std::move(f)}, that{c, closure} {}
  F closure;
  update_errand<T, Codec, F> that;
};

}  // namespace mortise::inline MORTISE_ABI::cluster::detail
