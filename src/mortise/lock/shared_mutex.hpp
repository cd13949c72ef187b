#pragma once

// mortise::shared_mutex: many readers or one writer, be they threads, fibers or coroutines, in one queue.
//
//     constinit mortise::shared_mutex m;
//     { std::shared_lock look{m}; ... }                     // from a thread or a fiber
//     { std::lock_guard hold{m}; ... }
//     { auto look = co_await m.async_lock_shared(); ... }   // from a coroutine
//     { auto hold = co_await m.async_lock(); ... }

#include <chrono>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/base/outcome.hpp>
#include <mortise/lock/holder_table.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/wait/budget.hpp>
#include <mortise/wait/queue.hpp>
#include <mortise/wait/waiting.hpp>

namespace mortise::inline MORTISE_ABI {

// Meets *SharedTimedLockable*. 16 bytes: the count of readers and the head of the queue do not fit into 8 together with what a lock must know of
// releases that are on their way out.
//
// Promises
// - RW1 One writer and no reader, or any number of readers (2^22 - 1 at most). What a writer wrote is seen by whoever comes after it, what
//   readers did is over when a writer comes in.
// - RW2 One queue for all kinds of waiters and for both ways to lock. It may be passed until the first in it has waited 1 ms and has
//   come in vain, or, if it is a writer, one of 16 readers that pass it has seen that; from then on nobody, reader or writer,
//   goes before it. Readers next to each other in the queue go in together.
// - RW3 Readers that get into each other's way are counted in a line for each thread, 2.2 KiB for the lock, as long as writers are rare: then
//   reading scales with the cores. From then on a writer that waits is not passed by readers at all.
// - RW4 Unlocking runs no waiter's code. A lock belongs to the party, not to the OS thread: it may be unlocked on another.
// - RW5 One that is told to come and never runs holds nobody up for longer than some 4 ms.
// - RW6 A bounded wait that fails leaves nothing behind and passes on what it was told.
// - RW7 Whoever holds it last may destroy it: the destructor waits for those that are on their way out.
// Does not promise: recursion, of readers neither (a writer in between waits for the first, and the second for the writer); upgrading.
class shared_mutex {
  friend class family_probe;  // tests: who waits
  friend class lock_access;   // asio/: how else it is waited for

 public:
  constexpr shared_mutex() noexcept = default;
  shared_mutex(const shared_mutex&) = delete;
  shared_mutex& operator=(const shared_mutex&) = delete;
#if __cpp_constexpr_dynamic_alloc
  constexpr
#endif
      ~shared_mutex() {
    if (!__builtin_is_constant_evaluated()) going_away();
  }

  // Waits until the caller is the only one. Blocks: the thread or fiber. Cost: one RMW when free.
  void lock() noexcept {
    noted_wait();
    if (!try_fast()) static_cast<void>(wait_for(writing, wait::bound{never}));
    noted(writing);
  }
  // Never blocks. Fails when it is held, or when somebody has waited for it in earnest (1 ms).
  [[nodiscard]] bool try_lock() noexcept {
    if (!try_fast() && !try_slow()) return false;
    noted(writing);
    return true;
  }
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> d) noexcept {
    return lock_or_stop({}, d) == outcome::acquired;
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> t) noexcept {
    return lock_or_stop({}, t) == outcome::acquired;
  }
  // As mutex::lock_or_stop.
  [[nodiscard]] outcome lock_or_stop(std::stop_token stop) noexcept {
    return bounded<true>(wait::bound{std::move(stop)});
  }
  template <class Rep, class Period>
  [[nodiscard]] outcome lock_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d) noexcept {
    return bounded<true>(wait::bound{std::move(stop), deadline_after(d)});
  }
  template <class Clock, class Duration>
  [[nodiscard]] outcome lock_or_stop(std::stop_token stop,
                                     std::chrono::time_point<Clock, Duration> t) noexcept {
    return bounded_until<true>(std::move(stop), t);
  }

  // Requires: the caller holds it, not shared. Never blocks. Cost when nobody waits: one RMW.
  void unlock() noexcept {
    noted_release();
    std::uint64_t s = m_state.load(memory_order_relaxed);
    if ((s & (writer | queued)) != writer ||
        !m_state.compare_exchange_strong(s, s & ~writer, memory_order_seq_cst, memory_order_relaxed))
        [[unlikely]]  // O2
      unlock_slow();
  }

  // Waits until nobody writes. Blocks: the thread or fiber. Cost: one RMW when there is neither writer nor queue.
  void lock_shared() noexcept {
    noted_wait();
    if (!try_shared_fast()) lock_shared_slow();
    noted(reading);
  }
  [[nodiscard]] bool try_lock_shared() noexcept {
    if (!try_shared_fast() && !try_shared_slow()) return false;
    noted(reading);
    return true;
  }
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_shared_for(std::chrono::duration<Rep, Period> d) noexcept {
    return lock_shared_or_stop({}, d) == outcome::acquired;
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_shared_until(std::chrono::time_point<Clock, Duration> t) noexcept {
    return lock_shared_or_stop({}, t) == outcome::acquired;
  }
  [[nodiscard]] outcome lock_shared_or_stop(std::stop_token stop) noexcept {
    return bounded<false>(wait::bound{std::move(stop)});
  }
  template <class Rep, class Period>
  [[nodiscard]] outcome lock_shared_or_stop(std::stop_token stop,
                                            std::chrono::duration<Rep, Period> d) noexcept {
    return bounded<false>(wait::bound{std::move(stop), deadline_after(d)});
  }
  template <class Clock, class Duration>
  [[nodiscard]] outcome lock_shared_or_stop(std::stop_token stop,
                                            std::chrono::time_point<Clock, Duration> t) noexcept {
    return bounded_until<false>(std::move(stop), t);
  }

  // Requires: the caller holds it shared. Never blocks. Cost when no writer waits: one RMW.
  void unlock_shared() noexcept {
    noted_release();
    std::uint64_t s = m_state.load(memory_order_relaxed);
    if ((s & (slots | queued)) != 0 || (s & readers) == 0 ||
        !m_state.compare_exchange_strong(s, s - reader, memory_order_seq_cst, memory_order_relaxed))
        [[unlikely]]  // O2
      unlock_shared_slow();
  }

  // A writer becomes a reader; no other writer comes in between. Never blocks. (Boost.Thread has the same name for it.)
  MORTISE_API void unlock_and_lock_shared() noexcept;

  // For coroutines; where they resume: as mutex::async_lock. async_lock gives a std::unique_lock, async_lock_shared a std::shared_lock; those
  // with a bound own nothing where that came first; the _or_stop forms give `auto [how, hold]`.
  [[nodiscard]] auto async_lock(wait::executor* where = nullptr) noexcept;
  [[nodiscard]] auto async_lock_shared(wait::executor* where = nullptr) noexcept;
  template <class Rep, class Period>
  [[nodiscard]] auto async_lock_for(std::chrono::duration<Rep, Period> d,
                                    wait::executor* where = nullptr) noexcept;
  template <class Rep, class Period>
  [[nodiscard]] auto async_lock_shared_for(std::chrono::duration<Rep, Period> d,
                                           wait::executor* where = nullptr) noexcept;
  template <class Clock, class Duration>
  [[nodiscard]] auto async_lock_until(std::chrono::time_point<Clock, Duration> t,
                                      wait::executor* where = nullptr) noexcept;
  template <class Clock, class Duration>
  [[nodiscard]] auto async_lock_shared_until(std::chrono::time_point<Clock, Duration> t,
                                             wait::executor* where = nullptr) noexcept;
  [[nodiscard]] auto async_lock_or_stop(std::stop_token stop, wait::executor* where = nullptr) noexcept;
  template <class Rep, class Period>
  [[nodiscard]] auto async_lock_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d,
                                        wait::executor* where = nullptr) noexcept;
  template <class Rep, class Period>
  [[nodiscard]] auto async_lock_shared_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d,
                                               wait::executor* where = nullptr) noexcept;
  [[nodiscard]] auto async_lock_shared_or_stop(std::stop_token stop,
                                               wait::executor* where = nullptr) noexcept;

 private:
  enum mode : std::uint8_t { reading, writing };
  template <bool Writes>
  struct acquisition;
  template <bool Writes>
  using held = std::conditional_t<Writes, std::unique_lock<shared_mutex>, std::shared_lock<shared_mutex>>;
  template <bool Writes>
  struct plain_operation;
  template <bool Writes>
  struct bounded_operation;
  template <bool Writes>
  struct stoppable_operation;

  // The parts of m_state, see shared_mutex.cpp.
  static constexpr std::uint64_t reader = 1;
  static constexpr std::uint64_t readers = (std::uint64_t{1} << 22) - 1;
  static constexpr std::uint64_t releasing = std::uint64_t{1} << 22;
  static constexpr std::uint64_t releases = std::uint64_t{0x3fff} << 22;
  static constexpr unsigned slots_shift = 36;
  static constexpr std::uint64_t slots = std::uint64_t{0xfff} << slots_shift;
  static constexpr std::uint64_t writer = std::uint64_t{1} << 48;
  static constexpr std::uint64_t queued = std::uint64_t{1} << 49;
  static constexpr std::uint64_t reserved = std::uint64_t{1} << 50;
  static constexpr std::uint64_t wrote = std::uint64_t{1} << 51;
  static constexpr std::uint64_t told = std::uint64_t{1} << 52;

  bool try_fast() noexcept {
    std::uint64_t s = m_state.load(memory_order_relaxed);
    return wait::spend_budget() && (s & (writer | reserved | readers | slots)) == 0 &&
           m_state.compare_exchange_strong(s, s | writer | wrote, memory_order_seq_cst,
                                           memory_order_relaxed);  // O1
  }
  bool try_shared_fast() noexcept {
    std::uint64_t s = m_state.load(memory_order_acquire);  // O5
    if (!wait::spend_budget() || (s & (writer | reserved)) != 0) return false;
    if ((s & slots) != 0) return enter_slots(s);
    if ((s & readers) == readers || ((s & queued) != 0 && is_to_look())) return false;
    return m_state.compare_exchange_strong(s, s + reader, memory_order_seq_cst, memory_order_relaxed);  // O1
  }
  template <bool Writes>
  outcome bounded(const wait::bound& until) noexcept {
    constexpr mode how_to = Writes ? writing : reading;
    if (until.deadline() == never) noted_wait();
    const outcome how =
        (Writes ? try_fast() : try_shared_fast()) ? outcome::acquired : wait_for(how_to, until);
    if (how == outcome::acquired) noted(how_to);
    return how;
  }
  template <bool Writes, class Time>
  outcome bounded_until(std::stop_token stop, Time t) noexcept {
    for (;;) {
      const outcome how = bounded<Writes>(wait::bound{stop, deadline_at(t)});
      if (how != outcome::timed_out || has_come(t)) return how;
    }
  }

  MORTISE_API outcome wait_for(mode m, const wait::bound& until) noexcept;
  MORTISE_API static bool is_to_look() noexcept;
  MORTISE_API bool try_slow() noexcept;
  MORTISE_API bool try_shared_slow() noexcept;
  MORTISE_API void lock_shared_slow() noexcept;
  MORTISE_API bool enter_slots(std::uint64_t s) noexcept;
  MORTISE_API void unlock_slow() noexcept;
  MORTISE_API void unlock_shared_slow() noexcept;
  MORTISE_API bool take_or_queue(wait::waiter& n, mode m) noexcept;
  MORTISE_API bool claim(wait::waiter& n, mode m) noexcept;
  MORTISE_API void leave(wait::waiter& n) noexcept;
  MORTISE_API void going_away() noexcept;

#if MORTISE_IS_CHECKED
  MORTISE_API void noted_wait() noexcept;
  MORTISE_API void noted_async_wait() noexcept;
  MORTISE_API void noted(mode m) noexcept;
  MORTISE_API void noted_async(mode m) noexcept;
  MORTISE_API void noted_release() noexcept;
  void noted_end() noexcept;
#else
  void noted_wait() noexcept {}
  void noted_async_wait() noexcept {}
  void noted(mode m) noexcept {
    if (lock_detail::keeps_holders()) [[unlikely]]
      note_taker(m, false);
  }
  void noted_async(mode m) noexcept {
    if (lock_detail::keeps_holders()) [[unlikely]]
      note_taker(m, true);
  }
  void noted_release() noexcept {
    if (lock_detail::keeps_holders()) [[unlikely]]
      note_release();
  }
  void noted_end() noexcept {}
  MORTISE_API void note_taker(mode m, bool async) noexcept;
  MORTISE_API void note_release() noexcept;
#endif

  std::int64_t inside(std::uint64_t s) const noexcept;
  bool become_writer(const wait::queue::section& in, const wait::waiter* n) noexcept;
  bool become_reader(const wait::queue::section& in, const wait::waiter* n) noexcept;
  static bool owes_a_wake(std::uint64_t s) noexcept { return (s & (queued | told)) == queued; }
  static bool is_told(const wait::waiter* first) noexcept;
  const wait::waiter* left(wait::queue::section& in) noexcept;
  bool tell(wait::queue::section& in, wait::offer& next) noexcept;
  void hand_on(std::uint64_t done) noexcept;
  void note_told(const wait::queue::section& in, std::uint64_t done) noexcept;
  void give_slots() noexcept;
  void mind_the_queue() noexcept;
  static void examine(void* self, wait::offer& next) noexcept;

  atomic<std::uint64_t> m_state{0};
  wait::queue m_queue;
};

static_assert(sizeof(shared_mutex) == 16);

template <bool Writes>
struct shared_mutex::acquisition {
  shared_mutex& m;
  wait::subject subject() const noexcept {
    return {&m, Writes ? "shared_mutex, to write" : "shared_mutex, to read"};
  }
  bool try_fast() const noexcept { return Writes ? m.try_fast() : m.try_shared_fast(); }
  bool take_or_queue(wait::waiter& n) const noexcept {
    return m.take_or_queue(n, Writes ? writing : reading);
  }
  bool claim(wait::waiter& n) const noexcept { return m.claim(n, Writes ? writing : reading); }
  void leave(wait::waiter& n) const noexcept { m.leave(n); }
};

template <bool Writes>
struct shared_mutex::plain_operation : wait::async_wait<acquisition<Writes>> {
  using wait::async_wait<acquisition<Writes>>::async_wait;
  [[nodiscard]] held<Writes> await_resume() noexcept {
    this->lock_to_get().m.noted_async(Writes ? writing : reading);
    return {this->lock_to_get().m, std::adopt_lock};
  }
};

template <bool Writes>
struct shared_mutex::stoppable_operation : wait::async_wait<acquisition<Writes>, wait::limit> {
  using wait::async_wait<acquisition<Writes>, wait::limit>::async_wait;
  lock_result<held<Writes>> await_resume() noexcept {
    const outcome how = this->result();
    shared_mutex& m = this->lock_to_get().m;
    if (how != outcome::acquired) return {how, {m, std::defer_lock}};
    m.noted_async(Writes ? writing : reading);
    return {how, {m, std::adopt_lock}};
  }
};

template <bool Writes>
struct shared_mutex::bounded_operation : stoppable_operation<Writes> {
  using stoppable_operation<Writes>::stoppable_operation;
  [[nodiscard]] held<Writes> await_resume() noexcept {
    return stoppable_operation<Writes>::await_resume().hold;
  }
};

inline auto shared_mutex::async_lock(wait::executor* where) noexcept {
  noted_async_wait();
  return plain_operation<true>{acquisition<true>{*this}, where};
}
inline auto shared_mutex::async_lock_shared(wait::executor* where) noexcept {
  noted_async_wait();
  return plain_operation<false>{acquisition<false>{*this}, where};
}
template <class Rep, class Period>
auto shared_mutex::async_lock_for(std::chrono::duration<Rep, Period> d, wait::executor* where) noexcept {
  return bounded_operation<true>{acquisition<true>{*this}, where, wait::bound::within(d)};
}
template <class Rep, class Period>
auto shared_mutex::async_lock_shared_for(std::chrono::duration<Rep, Period> d,
                                         wait::executor* where) noexcept {
  return bounded_operation<false>{acquisition<false>{*this}, where, wait::bound::within(d)};
}
template <class Clock, class Duration>
auto shared_mutex::async_lock_until(std::chrono::time_point<Clock, Duration> t,
                                    wait::executor* where) noexcept {
  return bounded_operation<true>{acquisition<true>{*this}, where, wait::bound{deadline_at(t)}};
}
template <class Clock, class Duration>
auto shared_mutex::async_lock_shared_until(std::chrono::time_point<Clock, Duration> t,
                                           wait::executor* where) noexcept {
  return bounded_operation<false>{acquisition<false>{*this}, where, wait::bound{deadline_at(t)}};
}
template <class Rep, class Period>
auto shared_mutex::async_lock_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d,
                                      wait::executor* where) noexcept {
  return stoppable_operation<true>{acquisition<true>{*this}, where, wait::bound::within(d, std::move(stop))};
}
template <class Rep, class Period>
auto shared_mutex::async_lock_shared_or_stop(std::stop_token stop, std::chrono::duration<Rep, Period> d,
                                             wait::executor* where) noexcept {
  return stoppable_operation<false>{acquisition<false>{*this}, where,
                                    wait::bound::within(d, std::move(stop))};
}
inline auto shared_mutex::async_lock_or_stop(std::stop_token stop, wait::executor* where) noexcept {
  noted_async_wait();
  return stoppable_operation<true>{acquisition<true>{*this}, where, wait::bound{std::move(stop)}};
}
inline auto shared_mutex::async_lock_shared_or_stop(std::stop_token stop, wait::executor* where) noexcept {
  noted_async_wait();
  return stoppable_operation<false>{acquisition<false>{*this}, where, wait::bound{std::move(stop)}};
}

}  // namespace mortise::inline MORTISE_ABI
