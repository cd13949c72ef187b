#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/base/outcome.hpp>
#include <mortise/wait/context.hpp>
#include <mortise/wait/timer.hpp>

namespace mortise::inline MORTISE_ABI::wait {

// Wakes a party when stop is requested.
struct wake_on_stop {
  parker* who;
  void operator()() const noexcept { who->unpark(); }
};
using stop_wake = std::stop_callback<wake_on_stop>;

// What ends a wait besides what is waited for: a deadline (`never`: none), a stop request (an empty token: none). Both do nothing but wake the
// party; that one looks at what it waited for first, then here, and leaves its queue by itself. So exactly one of
// the three happens, and whatever the party had been told to come for it passes on as it leaves.
class bound {
 public:
  explicit bound(nanos deadline) noexcept : m_deadline{deadline} {}
  explicit bound(std::stop_token stop, nanos deadline = never) noexcept
      : m_deadline{deadline}, m_stop{std::move(stop)} {}

  // A duration, which begins with the wait: who does not have to wait does not read the clock.
  template <class Rep, class Period>
  static bound within(std::chrono::duration<Rep, Period> d, std::stop_token stop = {}) noexcept {
    return bound{std::move(stop), -to_nanos(d)};
  }
  void begin() noexcept {
    if (m_deadline < 0) m_deadline = deadline_after(std::chrono::nanoseconds{-m_deadline});
  }

  // Requires: it has begun, if it is a duration.
  nanos deadline() const noexcept { return m_deadline; }
  const std::stop_token& stop() const noexcept { return m_stop; }

  // How the wait has ended; nothing: not yet.
  std::optional<outcome> ended() const noexcept {
    if (m_stop.stop_requested()) return outcome::stopped;
    if (m_deadline != never && now_ns() >= m_deadline) return outcome::timed_out;
    return std::nullopt;
  }

 private:
  nanos m_deadline;  // below 0: a duration that has not begun
  std::stop_token m_stop;
};

// A deadline of a wait in a coroutine, which is woken by somebody else. Lives in its frame; where the coroutine does not have to wait it costs
// two stores.
class time_limit {
 public:
  explicit time_limit(const bound& b) noexcept : m_deadline{b.deadline()} {}
  std::optional<outcome> ended() const noexcept { return bound{m_deadline}.ended(); }
  static constexpr bool has_deadline() noexcept { return true; }

  // The coroutine behind `who` is about to suspend.
  MORTISE_API void begin(parker& who) noexcept;
  // It has been resumed, or does not suspend after all. Where its frame is destroyed the destructor does.
  void end() noexcept {
    if (m_who != nullptr) take_back();
  }

  ~time_limit() {
    if (m_who != nullptr) m_timer.disarm();
  }

 private:
  MORTISE_API void take_back() noexcept;

  nanos m_deadline;         // below 0: a duration that has not begun
  parker* m_who = nullptr;  // null: it has not begun, and what is below has no value
  void* m_armed;            // what m_who.wake_at returned
  union {
    timer m_timer;
  };
};

// The same with a stop token.
class limit {
 public:
  explicit limit(bound b) noexcept : m_bound{std::move(b)} {}
  const bound& of() const noexcept { return m_bound; }
  std::optional<outcome> ended() const noexcept { return m_bound.ended(); }
  bool has_deadline() const noexcept { return m_bound.deadline() != never; }

  // The coroutine behind `who` is about to suspend.
  void begin(parker& who) noexcept {
    m_bound.begin();
    if (m_bound.deadline() != never) {
      m_who = &who;
      m_armed = who.wake_at(m_bound.deadline());
      if (m_armed == nullptr) m_timer.arm(who, m_bound.deadline());
    }
    m_on_stop.emplace(m_bound.stop(), wake_on_stop{&who});
  }

  // It has been resumed, or does not suspend after all. Where its frame is destroyed the destructor does.
  void end() noexcept {
    m_on_stop.reset();
    m_timer.disarm();
    if (m_armed != nullptr) m_who->wake_no_more(std::exchange(m_armed, nullptr));
  }

 private:
  bound m_bound;
  parker* m_who = nullptr;
  void* m_armed = nullptr;  // what m_who.wake_at returned
  timer m_timer;
  std::optional<stop_wake> m_on_stop;
};

}  // namespace mortise::inline MORTISE_ABI::wait
