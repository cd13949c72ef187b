#include <app/cluster/descendants.hpp>
#include <app/cluster/guard_page.hpp>
#include <app/cluster/guard_process.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include <mortise/cluster/boot_clock.hpp>

namespace app::cluster {
namespace {

using mortise::nanos;
using mortise::cluster::boot_now;

// SIGKILL comes so much before the deadline: for the kernel to end them, and for us to get a processor.
constexpr nanos before_deadline = 100'000'000;

}  // namespace

guard_process::guard_process(guard::page& p, int line, pid_t parent, std::vector<std::string> command,
                             nanos grace, const sigset_t& mask)
    : m_page{p}, m_line{line}, m_parent{parent}, m_command{std::move(command)}, m_grace{grace}, m_mask{mask} {
  ::setpgid(0, 0);  // what is sent to mortise's group is not for us
  ::prctl(PR_SET_NAME, "mortise-guard");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // whose parent is gone comes to us
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_BLOCK, &all, nullptr);
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t children;
  ::sigemptyset(&children);
  ::sigaddset(&children, SIGCHLD);
  m_children = ::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
  m_timer = ::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (m_children < 0 || m_timer < 0) ::_exit(1);
  // COMMAND is in a group of its own, and reads from the terminal if mortise could.
  m_terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (m_terminal >= 0 && ::tcgetpgrp(m_terminal) != ::getpgid(parent)) {
    ::close(m_terminal);
    m_terminal = -1;
  }
}

void guard_process::run() {
  for (;;) {
    std::array<pollfd, 3> wait{{{m_line, POLLIN, 0}, {m_children, POLLIN, 0}, {m_timer, POLLIN, 0}}};
    if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR) end(false);
    if (wait[0].revents != 0) hear();
    if (wait[1].revents != 0) reap();
    if (m_state != state::waits) look_at_time();
  }
}

void guard_process::hear() {
  std::array<char, 64> words;
  const ssize_t n = ::read(m_line, words.data(), words.size());
  if (n < 0 && errno == EINTR) return;
  if (n <= 0) end(false);  // mortise is gone
  for (ssize_t i = 0; i < n; ++i) {
    if (words[static_cast<std::size_t>(i)] == static_cast<char>(guard::word::start)) start();
  }
}

void guard_process::start() {
  ::setenv("MORTISE_LOCK", m_page.lock.data(), 1);
  ::setenv("MORTISE_TOKEN", std::to_string(m_page.token).c_str(), 1);
  std::array<int, 2> error_line{};
  if (::pipe2(error_line.data(), O_CLOEXEC) != 0) {
    m_page.start_error = errno;
    end(true);
  }
  const pid_t command = ::fork();
  if (command == 0) become_command(error_line[1]);
  int error = command < 0 ? errno : 0;
  ::close(error_line[1]);
  if (command > 0) {
    ::setpgid(command, command);
    while (::read(error_line[0], &error, sizeof error) < 0 && errno == EINTR) {}
  }
  ::close(error_line[0]);
  if (error != 0) {
    m_page.start_error = error;
    end(true);
  }
  m_page.command.store(command, mortise::memory_order_release);
  m_state = state::runs;
  // Of a pipe that COMMAND has closed nobody else should hold an end.
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(stream);
}

void guard_process::become_command(int error_line) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setpgid(0, 0);
  if (m_terminal >= 0) ::tcsetpgrp(m_terminal, ::getpid());
  ::signal(SIGPIPE, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &m_mask, nullptr);
  std::vector<char*> words;
  for (std::string& w : m_command) words.push_back(w.data());
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  const int error = errno;
  static_cast<void>(!::write(error_line, &error, sizeof error));
  ::_exit(127);
}

void guard_process::reap() {
  std::array<char, sizeof(signalfd_siginfo) * 4> ignored;
  while (::read(m_children, ignored.data(), ignored.size()) > 0) {}
  int status = 0;
  const pid_t command = m_page.command.load(mortise::memory_order_relaxed);
  for (pid_t who; (who = ::waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0;) {
    if (who != command) continue;
    if (WIFSTOPPED(status)) {
      m_page.stopped_by.store(WSTOPSIG(status), mortise::memory_order_release);
      ::kill(m_parent, guard::stop_news());
      continue;
    }
    m_page.code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    m_page.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (descendants().empty()) end(!m_was_told_to_end);
    m_state = state::clears;
    m_clears_until = boot_now() + m_grace;
  }
  if (m_state == state::clears && descendants().empty()) end(!m_was_told_to_end);
}

void guard_process::look_at_time() {
  const nanos now = boot_now();
  const nanos deadline = m_page.deadline.load(mortise::memory_order_relaxed);
  if (m_page.gone.load(mortise::memory_order_relaxed) != 0) end(false);
  nanos kill_at = deadline - (m_grace == 0 ? before_deadline : std::min(before_deadline, m_grace / 2));
  if (now >= kill_at) end(false);
  if (m_state == state::clears) {
    if (now >= m_clears_until) {
      if (std::exchange(m_rest_was_told, true)) end(!m_was_told_to_end);
      signal_descendants(SIGTERM);
      signal_descendants(SIGCONT);
      m_clears_until = now + m_grace;
    }
    kill_at = std::min(kill_at, m_clears_until);
  } else if (!m_was_told_to_end && now >= deadline - m_grace) {
    m_was_told_to_end = true;
    const pid_t group = m_page.command.load(mortise::memory_order_relaxed);
    ::kill(-group, SIGTERM);  // all at once: none of them forks meanwhile and is missed
    signal_descendants(SIGTERM, group);
    signal_descendants(SIGCONT);  // one that is stopped would not hear
  }
  const nanos next = m_was_told_to_end || m_state == state::clears ? kill_at : deadline - m_grace;
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(next / 1'000'000'000);
  when.it_value.tv_nsec = static_cast<long>(next % 1'000'000'000);
  ::timerfd_settime(m_timer, TFD_TIMER_ABSTIME, &when, nullptr);
}

void guard_process::end(bool in_time) {
  kill_descendants();
  m_page.in_time = in_time;
  m_page.has_ended = true;
  // The terminal goes back, while nobody reads from it.
  if (m_terminal >= 0) ::tcsetpgrp(m_terminal, ::getpgid(m_parent));
  ::_exit(0);
}

}  // namespace app::cluster
