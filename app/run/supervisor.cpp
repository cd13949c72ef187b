#include <app/run/supervisor.hpp>

#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <exception>
#include <utility>

#include <app/run/measure.hpp>
#include <app/run/workload.hpp>
#include <mortise/base/clock.hpp>

namespace app {
namespace {

// The first that a process does, so that there is no moment in which it could be left behind.
void live_no_longer_than(pid_t parent, unsigned place) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);  // it went before it could be bound to it
  struct sigaction ignored{};
  ignored.sa_handler = SIG_IGN;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &ignored, nullptr);
  ::prctl(PR_SET_NAME, fmt::format("mortise-{}", place).c_str());
}

std::int64_t nanoseconds(const timeval& t) {
  return (t.tv_sec * std::int64_t{1'000'000} + t.tv_usec) * 1'000;
}

void pause_briefly() {
  const timespec millisecond{0, 1'000'000};
  ::nanosleep(&millisecond, nullptr);
}

}  // namespace

supervisor::supervisor(unsigned places, std::function<void(unsigned)> body,
                       std::function<std::string(unsigned)> why)
    : m_body{std::move(body)}, m_why{std::move(why)}, m_of(places) {
  ::signal(SIGCHLD, SIG_DFL);  // with SIG_IGN, which is inherited, nobody could be waited for
}

supervisor::~supervisor() {
  for (const process& p : m_of) {
    if (p.id != 0) ::kill(p.id, SIGKILL);
  }
  int status = 0;
  for (process& p : m_of) reap(p, true, status);
  bury(mortise::never);
}

void supervisor::start(unsigned place) {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) {
    live_no_longer_than(parent, place);
    try {
      m_body(place);
    } catch (...) {
      ::_exit(ended_by_exception);
    }
    ::_exit(0);  // what the parent would print and delete at its end is not this process's
  }
  if (child < 0) {
    throw start_error(
        fmt::format("process {} of {} cannot be started: {}", place + 1, places(), ::strerror(errno)));
  }
  m_of[place].id = child;
}

void supervisor::replace(unsigned place) {
  process& p = m_of[place];
  ::kill(p.id, SIGKILL);
  // It is waited for, and left as it is: its last thread is not quite gone yet, and what the kernel clears away in wait4 would
  // spin until that has had its turn on a busy processor (up to a second was seen, Linux 6.18 on 2 cores).
  siginfo_t end{};
  while (::waitid(P_PID, static_cast<id_t>(p.id), &end, WEXITED | WNOWAIT) != 0 && errno == EINTR) {}
  if (end.si_code != CLD_KILLED || end.si_status != SIGKILL) {
    int status = 0;
    reap(p, true, status);
    ended_ill(place, status);
  }
  m_unburied.push_back({place, std::exchange(p, {}), mortise::now_ns()});
  start(place);
}

void supervisor::bury(mortise::nanos killed_before) {
  int status = 0;
  std::erase_if(m_unburied, [&](killed& k) {
    if (k.when >= killed_before) return false;
    reap(k.was, true, status);
    process& now = m_of[k.place];
    now.rss_peak_bytes = std::max(now.rss_peak_bytes, k.was.rss_peak_bytes);
    return true;
  });
}

void supervisor::look() {
  constexpr mortise::nanos long_gone = 20'000'000;
  bury(mortise::now_ns() - long_gone);
  siginfo_t any{};
  if (::waitid(P_ALL, 0, &any, WEXITED | WNOHANG | WNOWAIT) != 0 || any.si_pid == 0) return;
  for (unsigned place = 0; place < places(); ++place) {
    int status = 0;
    if (m_of[place].id != 0 && reap(m_of[place], false, status)) ended_ill(place, status);
  }
}

bool supervisor::join(int seconds) {
  const mortise::nanos until = mortise::now_ns() + seconds * mortise::nanos{1'000'000'000};
  bool in_time = true;
  bury(mortise::never);
  for (unsigned place = 0; place < places(); ++place) {
    if (m_of[place].id == 0) continue;
    int status = 0;
    while (!reap(m_of[place], false, status)) {
      if (in_time && mortise::now_ns() >= until) {
        in_time = false;
        for (const process& p : m_of) {
          if (p.id != 0) ::kill(p.id, SIGKILL);
        }
      }
      pause_briefly();
    }
    if (in_time && status != 0) ended_ill(place, status);
  }
  return in_time;
}

std::int64_t supervisor::cpu_ns() const {
  std::int64_t ns = cpu_ns_of(0) + m_ended_cpu_ns;
  for (const process& p : m_of) {
    if (p.id != 0) ns += cpu_ns_of(p.id);
  }
  for (const killed& k : m_unburied) ns += cpu_ns_of(k.was.id);
  return ns;
}

std::int64_t supervisor::rss_peak_bytes() const {
  std::int64_t sum = 0;
  for (const process& p : m_of) sum += p.rss_peak_bytes;
  return sum;
}

bool supervisor::reap(process& p, bool wait, int& status) {
  if (p.id == 0) return true;
  rusage used{};
  pid_t ended = 0;
  do {
    ended = ::wait4(p.id, &status, wait ? 0 : WNOHANG, &used);
  } while (ended < 0 && errno == EINTR);
  if (ended == 0) return false;
  p.id = 0;
  p.rss_peak_bytes = std::max(p.rss_peak_bytes, used.ru_maxrss * std::int64_t{1024});
  m_ended_cpu_ns += nanoseconds(used.ru_utime) + nanoseconds(used.ru_stime);
  return true;
}

void supervisor::ended_ill(unsigned place, int status) const {
  const std::string who = fmt::format("process {} of {}", place + 1, places());
  if (WIFSIGNALED(status)) {
    throw start_error(
        fmt::format("{} was ended by signal {} ({})", who, WTERMSIG(status), ::strsignal(WTERMSIG(status))));
  }
  const std::string why = m_why(place);
  throw start_error(why.empty() ? fmt::format("{} ended by itself, with {}", who, WEXITSTATUS(status))
                                : fmt::format("{}: {}", who, why));
}

}  // namespace app
