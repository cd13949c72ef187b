#pragma once

// mortise::cluster::guarded<T>: a value in a consensus store that is changed under a lock, and only by who holds it then.
//
//     mortise::cluster::guarded<std::map<int, int>> state{here, "seed"};
//     int v = state.read([](const auto& m) { return m.at(3); });   // as it is now
//     state.update([](auto& m) { m[3] = 7; });                     // all or nothing; the closure may run again
//     if (auto r = state.try_update(f); !r) log(r.how);            // lost, unknown, ...
//     co_await state.async_update([](auto& m) { ++m[3]; });
//
// (tests/cluster/guarded_test.cpp has it running on a store in memory)

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string_view>
#include <type_traits>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/outcome.hpp>
#include <mortise/cluster/answer.hpp>
#include <mortise/cluster/codec.hpp>
#include <mortise/cluster/guarded_core.hpp>
#include <mortise/cluster/session.hpp>
#include <mortise/cluster/update_errand.hpp>
#include <mortise/lock/guarded_result.hpp>
#include <mortise/wait/limit.hpp>
#include <mortise/wait/waiting.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// The same name in the same store is the same value. T is copyable, nothrow movable, and has a codec.
//
// Promises
// - CL11 An update is done on the value that its closure saw, by a holder of the lock, or not at all: the store compares the key's and the value's
//   revision as it commits. Who lost the lock, was paused, or believed a server that was behind changes nothing.
// - CL12 One whose closure throws changes nothing; nor does one that ends with `lost`, refused_error, `timed_out` or `stopped`.
// - CL13 One whose answer was lost is looked for: it is applied once, or not and then done again, or reported as `unknown` and was then applied
//   once or not at all. `unknown` and `lost` are never the same.
// - CL14 Uncontended it is two round trips: one asks for the key and reads the value, one writes it and gives the key back. The updates of a
//   process that meet share both.
// - CL15 read sees every update that was acknowledged before it began, in this process and in others. It takes no lock, and is confirmed by
//   consensus even where the store's reads can be stale.
// - CL16 What stands under the key and is not ours is refused with one line, and left alone.
// Does not promise that a closure runs once: it runs again where the value turned out to be another one or its commit cannot be found. It must be
// repeatable, and runs on its caller, but must neither block for long (others wait behind it) nor use this guarded.
// T is written down by the codec under a lock of the process where the last of some parties goes away: a codec uses no lock that an update holds.
// Cost: a copy of T for each update; T is decoded once for each tenure, and encoded once for each commit. A value has 1 MiB or so at most (the
// store's limit).
template <class T, class Codec = codec<T>>
class guarded {
  static_assert(std::is_object_v<T> && !std::is_const_v<T>, "guarded<T> holds a modifiable object");
  static_assert(std::is_copy_constructible_v<T> && std::is_nothrow_move_assignable_v<T>,
                "update works on a copy and puts it in place: T must be copyable and nothrow movable");
  static_assert(codec_of<Codec, T>,
                "T needs a codec: see mortise/cluster/codec.hpp, or include mortise/cluster/json/codec.hpp");

 public:
  using value_type = T;

  // `initially`: what is seen as long as nothing was written. Throws: std::invalid_argument, a name that names.hpp does not allow.
  guarded(session& here, std::string_view name, T initially = T{}, handover_bounds b = {})
      : m_core{std::make_shared<detail::guarded_core<T, Codec>>(here.core(), lock_names{name}, b,
                                                                std::move(initially))} {
    m_core->listen();
  }
  guarded(const guarded&) = delete;
  guarded& operator=(const guarded&) = delete;

  // Calls f(const T&) on the value as it is now. Blocks: for one round trip, or until the store can be reached. Throws: what f throws,
  // refused_error, what the codec throws.
  template <class F>
  auto read(F&& f) const {
    return look(read_confirmed(m_core->names()), f);
  }
  // The same on the value as any one server has it: it was so at some time. Costs the store no consensus.
  template <class F>
  auto read_stale(F&& f) const {
    return look(read_anywhere(m_core->names()), f);
  }

  // Calls f(T&) on a copy of the value and commits it. Returns what f returned. Blocks: the thread or fiber, until it is committed. Throws: what f
  // throws, lost_error, unknown_error, refused_error, what the codec throws.
  template <class F>
  auto update(F&& f) {
    detail::update_errand<T, Codec, F> e{*m_core, f};
    static_cast<void>(wait::wait_for(e.way(), wait::bound{never}));
    return e.result_or_throw();
  }

  // The same, but `lost` and `unknown` are returned. `until` ends the wait for the lock, with `timed_out` or `stopped`; a commit that has begun is
  // waited for.
  template <class F>
  auto try_update(F&& f, wait::bound until = wait::bound{never}) {
    detail::update_errand<T, Codec, F> e{*m_core, f};
    return e.ended(e.wait_until(until));
  }

  // For coroutines: the closure is kept in the operation, and runs before the coroutine goes on. A frame that is destroyed meanwhile does not hear
  // what became of its update.
  template <class F>
  class async_update_operation;
  template <class F>
  [[nodiscard]] auto async_update(F f, wait::executor* where = nullptr) {
    return async_update_operation<F>{*m_core, std::move(f), where};
  }
  // As try_update: `auto r = co_await state.async_update_for(5s, f);`
  template <class F>
  class async_bounded_update_operation;
  template <class Rep, class Period, class F>
  [[nodiscard]] auto async_update_for(std::chrono::duration<Rep, Period> d, F f,
                                      wait::executor* where = nullptr) {
    return async_bounded_update_operation<F>{*m_core, std::move(f), where, wait::bound::within(d)};
  }
  template <class Clock, class Duration, class F>
  [[nodiscard]] auto async_update_until(std::chrono::time_point<Clock, Duration> t, F f,
                                        wait::executor* where = nullptr) {
    return async_bounded_update_operation<F>{*m_core, std::move(f), where, wait::bound{deadline_at(t)}};
  }
  template <class F>
  [[nodiscard]] auto async_update_or_stop(std::stop_token stop, F f, wait::executor* where = nullptr) {
    return async_bounded_update_operation<F>{*m_core, std::move(f), where, wait::bound{std::move(stop)}};
  }
  template <class Rep, class Period, class F>
  [[nodiscard]] auto async_update_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d, F f,
                                          wait::executor* where = nullptr) {
    return async_bounded_update_operation<F>{*m_core, std::move(f), where,
                                             wait::bound::within(d, std::move(stop))};
  }
  template <class F>
  class async_read_operation;
  template <class F>
  [[nodiscard]] auto async_read(F f, wait::executor* where = nullptr) const {
    return async_read_operation<F>{*m_core, std::move(f), where};
  }

  [[nodiscard]] numbers counted() const { return m_core->counted(); }

 private:
  template <class F>
  auto look(transaction t, F& f) const {
    mortise::detail::check_result<std::invoke_result_t<F&, const T&>, T>();
    const auto a = std::make_shared<answer>(m_core->shared_session(), std::move(t));
    static_cast<void>(wait::wait_for(answer::arrival{a}, wait::bound{never}));
    const T value = m_core->decode(a->value(m_core->names().name()));
    return std::invoke(f, value);
  }

  const std::shared_ptr<detail::guarded_core<T, Codec>> m_core;
};

template <class T, class Codec>
template <class F>
class [[nodiscard]] guarded<T, Codec>::async_update_operation : detail::kept_errand<T, Codec, F>,
                                                                public wait::async_wait<detail::errand_way> {
  using kept = detail::kept_errand<T, Codec, F>;

 public:
  async_update_operation(detail::guarded_core<T, Codec>& c, F f, wait::executor* where)
      : kept{c, std::move(f)}, wait::async_wait<detail::errand_way>{kept::that.way(), where} {}
  auto await_resume() { return kept::that.result_or_throw(); }
};

template <class T, class Codec>
template <class F>
class [[nodiscard]] guarded<T, Codec>::async_bounded_update_operation
    : detail::kept_errand<T, Codec, F>,
      public wait::async_wait<detail::errand_way, wait::limit> {
  using kept = detail::kept_errand<T, Codec, F>;

 public:
  async_bounded_update_operation(detail::guarded_core<T, Codec>& c, F f, wait::executor* where,
                                 wait::bound until)
      : kept{c, std::move(f)},
        wait::async_wait<detail::errand_way, wait::limit>{kept::that.way(), where, std::move(until)} {}
  auto await_resume() { return kept::that.ended(this->result()); }
};

template <class T, class Codec>
template <class F>
class [[nodiscard]] guarded<T, Codec>::async_read_operation : public wait::async_wait<answer::arrival> {
 public:
  async_read_operation(detail::guarded_core<T, Codec>& c, F f, wait::executor* where)
      : wait::async_wait<answer::arrival>{{std::make_shared<answer>(c.shared_session(),
                                                                    read_confirmed(c.names()))},
                                          where},
        m_core{c},
        m_closure{std::move(f)} {}
  auto await_resume() {
    mortise::detail::check_result<std::invoke_result_t<F&, const T&>, T>();
    const T value = m_core.decode(this->lock_to_get().a->value(m_core.names().name()));
    return std::invoke(m_closure, value);
  }

 private:
  detail::guarded_core<T, Codec>& m_core;
  F m_closure;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
