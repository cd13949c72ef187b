#pragma once

#include <mortise/base/abi.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/cluster/store.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// CLOCK_BOOTTIME: goes on while the machine is suspended, and is never set.
MORTISE_API nanos boot_now() noexcept;

class boot_clock final : public lease_clock {
 public:
  nanos now() const noexcept override { return boot_now(); }
};

// Where one thread sleeps until a time by that clock; also one that comes while the machine is suspended, and ends the sleep as it
// resumes. (A futex counts by CLOCK_MONOTONIC, which would sleep on for what was left.)
class boot_alarm {
 public:
  MORTISE_API boot_alarm();  // throws std::system_error
  boot_alarm(const boot_alarm&) = delete;
  boot_alarm& operator=(const boot_alarm&) = delete;
  MORTISE_API ~boot_alarm();

  MORTISE_API void sleep_until(nanos at) noexcept;  // may end early
  MORTISE_API void ring() noexcept;                 // ends the sleep, or the next one

 private:
  int m_timer, m_bell;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
