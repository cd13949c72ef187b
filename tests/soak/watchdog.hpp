#pragma once

#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace soak {

// Ends the program when a party does nothing for `bound`, after it has told of every mutex and every party. The
// bound is counted in the watchdog's own ticks, so that a machine that slept is no hang.
class watchdog {
 public:
  explicit watchdog(std::chrono::seconds bound);

 private:
  void serve(const std::stop_token& stop);
  [[noreturn]] void bark(unsigned first);
  void tell_mutexes();
  void tell_parties();
  double silent_s(unsigned station) const;

  static constexpr unsigned ticks = 20;  // in a bound
  const std::chrono::milliseconds m_tick;
  struct seen {
    std::uint64_t said = 0;
    unsigned unchanged = 0;  // ticks
  };
  std::vector<seen> m_seen;
  std::jthread m_thread;
};

}  // namespace soak
