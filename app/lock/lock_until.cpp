#include <app/lock/lock_until.hpp>

#include <sys/file.h>
#include <time.h>

#include <cerrno>
#include <csignal>
#include <system_error>

namespace app::lock {
namespace {

constexpr std::int64_t second = 1'000'000'000;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

// Interrupts what this process waits in, from the deadline on, while it lives. The temptation is a timer that rings once: it may
// ring between the look at the clock and the call that it should end, which then waits for ever. So it rings again each
// millisecond until somebody has heard it. A signal of its own: SIGALRM may be another's alarm, set before mortise was executed, and has to
// end us.
class alarm_bell {
 public:
  explicit alarm_bell(std::int64_t deadline_ns) {
    struct sigaction heard{};
    heard.sa_handler = [](int) {};
    ::sigemptyset(&heard.sa_mask);
    heard.sa_flags = 0;  // not SA_RESTART: the call has to end
    ::sigaction(SIGRTMIN, &heard, &m_before);
    sigset_t ours;
    ::sigemptyset(&ours);
    ::sigaddset(&ours, SIGRTMIN);
    ::sigprocmask(SIG_UNBLOCK, &ours, &m_mask);
    struct sigevent rings{};
    rings.sigev_notify = SIGEV_SIGNAL;
    rings.sigev_signo = SIGRTMIN;
    if (::timer_create(CLOCK_MONOTONIC, &rings, &m_timer) != 0) {
      const int error = errno;
      restore();
      errno = error;
      fail("no timer for --timeout");
    }
    struct itimerspec when{};
    when.it_value.tv_sec = static_cast<time_t>(deadline_ns / second);
    when.it_value.tv_nsec = static_cast<long>(deadline_ns % second);
    when.it_interval.tv_nsec = 1'000'000;
    ::timer_settime(m_timer, TIMER_ABSTIME, &when, nullptr);
  }
  ~alarm_bell() {
    ::timer_delete(m_timer);  // one that has rung already is heard on the way out of this call
    restore();
  }
  alarm_bell(const alarm_bell&) = delete;
  alarm_bell& operator=(const alarm_bell&) = delete;

 private:
  void restore() {
    ::sigprocmask(SIG_SETMASK, &m_mask, nullptr);
    ::sigaction(SIGRTMIN, &m_before, nullptr);
  }

  struct sigaction m_before{};
  sigset_t m_mask{};
  timer_t m_timer{};
};

}  // namespace

std::int64_t monotonic_ns() {
  struct timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * second + now.tv_nsec;
}

bool lock_until(int file, std::optional<std::int64_t> deadline_ns) {
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) return true;
  if (errno != EWOULDBLOCK) fail("flock");
  if (!deadline_ns) {
    while (::flock(file, LOCK_EX) != 0) {
      if (errno != EINTR) fail("flock");
    }
    return true;
  }
  if (monotonic_ns() >= *deadline_ns) return false;
  const alarm_bell bell{*deadline_ns};
  while (::flock(file, LOCK_EX) != 0) {
    if (errno != EINTR) fail("flock");
    if (monotonic_ns() >= *deadline_ns) return false;
  }
  return true;
}

}  // namespace app::lock
