#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace soak {

// What is counted. The first ones, up to `last_acquisition`, are acquisitions that were really made, each under one
// name; the others are what else happened.
enum class what : unsigned {
  lock,
  try_lock,
  try_lock_for,
  try_lock_until,
  async_lock_in_a_task,
  async_lock_of_a_foreigner,
  last_acquisition = async_lock_of_a_foreigner,
  refused,
  timeouts,
  stops,
  slept_in_full,
  slept_while_holding,
  migrations,
  frames_destroyed_in_the_queue,
  frames_destroyed_when_offered,
  scopes_joined,
  renewals,
  count
};

inline constexpr unsigned kinds_of_events = static_cast<unsigned>(what::count);

constexpr const char* to_string(what w) noexcept {
  constexpr const char* names[] = {"lock",
                                   "try_lock",
                                   "try_lock_for",
                                   "try_lock_until",
                                   "async_lock in a task",
                                   "async_lock of a foreign coroutine",
                                   "try_lock that found it taken",
                                   "try_lock_for/until that timed out",
                                   "sleeps that were stopped",
                                   "sleeps with a stop token in full",
                                   "sleeps of a holder",
                                   "holders that woke on another OS thread",
                                   "frames destroyed in the queue",
                                   "frames destroyed after the unlock",
                                   "task scopes stopped and joined",
                                   "mutexes destroyed and made anew by a holder"};
  static_assert(sizeof names / sizeof names[0] == kinds_of_events);
  return names[static_cast<unsigned>(w)];
}

// One party's own counts.
class tally {
 public:
  std::uint64_t& operator[](what w) noexcept { return m_n[static_cast<unsigned>(w)]; }
  std::uint64_t operator[](what w) const noexcept { return m_n[static_cast<unsigned>(w)]; }

  std::uint64_t acquisitions() const noexcept {
    std::uint64_t sum = 0;
    for (unsigned i = 0; i <= static_cast<unsigned>(what::last_acquisition); ++i) sum += m_n[i];
    return sum;
  }

 private:
  std::array<std::uint64_t, kinds_of_events> m_n{};
};

// The counts of all, added up when a party ends.
class totals {
 public:
  void add(const tally& t) noexcept {
    for (unsigned i = 0; i < kinds_of_events; ++i) {
      m_n[i].fetch_add(t[static_cast<what>(i)],
                       std::memory_order_relaxed);  // read after the parties were joined
    }
  }
  tally read() const noexcept {
    tally t;
    for (unsigned i = 0; i < kinds_of_events; ++i) {
      t[static_cast<what>(i)] = m_n[i].load(std::memory_order_relaxed);
    }
    return t;
  }

 private:
  std::array<std::atomic<std::uint64_t>, kinds_of_events> m_n{};
};

}  // namespace soak
