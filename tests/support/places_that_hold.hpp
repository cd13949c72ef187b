#pragma once

// Two places that hold a lock for times that are known, and what a profile says of them.

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include <mortise/base/clock.hpp>
#include <mortise/insight/profile.hpp>
#include <mortise/lock/mutex.hpp>

namespace places {

inline std::atomic<std::int64_t> held_briefly_ns{0}, held_long_ns{0};

// As long as the clock says: what the machine takes away in between is a part of the hold, and of what was held.
inline void spin(std::int64_t ns, std::atomic<std::int64_t>& sum) {
  const std::int64_t from = mortise::now_ns();
  while (mortise::now_ns() - from < ns) {}
  sum += mortise::now_ns() - from;
}

// Names of their own in the profile: calls that are neither inlined nor made as the last thing a function does.
[[gnu::noinline]] inline void hold_briefly(std::unique_lock<mortise::mutex> hold) {
  spin(1'000'000, held_briefly_ns);
  hold.unlock();
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] inline void hold_long(std::unique_lock<mortise::mutex> hold) {
  spin(3'000'000, held_long_ns);
  hold.unlock();
  asm volatile("" ::: "memory");
}

struct found {
  double briefly_ns = 0, long_ns = 0, elsewhere_ns = 0, waits = 0;
};
inline found delays() {
  found f;
  for (const mortise::insight::profile::place& p : mortise::insight::profile::places()) {
    const auto is_of = [&p](const char* name) { return p.function.find(name) != std::string::npos; };
    (is_of("hold_briefly") ? f.briefly_ns : is_of("hold_long") ? f.long_ns : f.elsewhere_ns) += p.delay_ns;
    f.waits += p.waits;
  }
  return f;
}

}  // namespace places
