#include <mortise/cluster/boot_clock.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <system_error>

namespace mortise::inline MORTISE_ABI::cluster {

namespace {
constexpr nanos second = 1'000'000'000;
}

nanos boot_now() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return t.tv_sec * second + t.tv_nsec;
}

boot_alarm::boot_alarm()
    : m_timer{::timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC)},
      m_bell{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)} {
  if (m_timer >= 0 && m_bell >= 0) return;
  const std::system_error error{errno, std::generic_category(), "a timer for leases"};
  if (m_timer >= 0) ::close(m_timer);
  if (m_bell >= 0) ::close(m_bell);
  throw error;
}

boot_alarm::~boot_alarm() {
  ::close(m_timer);
  ::close(m_bell);
}

void boot_alarm::sleep_until(nanos at) noexcept {
  itimerspec when{};
  const nanos t = std::max<nanos>(at, 1);  // 0 would disarm it
  if (at != never) when.it_value = {t / second, t % second};
  ::timerfd_settime(m_timer, TFD_TIMER_ABSTIME, &when, nullptr);
  pollfd both[] = {{m_timer, POLLIN, 0}, {m_bell, POLLIN, 0}};
  ::poll(both, 2, -1);
  std::uint64_t rung = 0;
  static_cast<void>(!::read(m_bell, &rung, sizeof rung));
}

void boot_alarm::ring() noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(m_bell, &one, sizeof one));
}

}  // namespace mortise::inline MORTISE_ABI::cluster
