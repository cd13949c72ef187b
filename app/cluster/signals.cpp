#include <app/cluster/signals.hpp>

#include <pthread.h>
#include <sys/wait.h>

#include <csignal>

namespace app::cluster {
namespace {

int quit_signal() { return SIGRTMIN + 3; }

bool ends_a_program(int signal) {
  return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
}

bool stops_a_job(int signal) { return signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU; }

}  // namespace

sigset_t block_signals() {
  sigset_t all, before;
  ::sigfillset(&all);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT})
    ::sigdelset(&all, fault);
  ::pthread_sigmask(SIG_BLOCK, &all, &before);
  ::signal(SIGCHLD, SIG_DFL);  // one who ignores it is not told how the guard ended
  return before;
}

signals::signals(guard& g, const terminal& t) : m_guard{g}, m_terminal{t}, m_thread{[this] { take(); }} {}

signals::~signals() {
  ::pthread_kill(m_thread.native_handle(), quit_signal());
  m_thread.join();
}

void signals::take() {
  sigset_t all;
  ::sigfillset(&all);
  siginfo_t one{};
  for (;;) {
    if (::sigwaitinfo(&all, &one) >= 0 && came(one.si_signo)) return;
  }
}

bool signals::came(int signal) {
  if (signal == quit_signal()) return true;
  if (signal == guard::stop_news()) {
    stop_too();
  } else if (signal == SIGCHLD) {
    siginfo_t end{};
    if (::waitid(P_PID, static_cast<id_t>(m_guard.process()), &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        end.si_pid != 0) {
      const std::lock_guard hold{m_lock};
      m_guard_has_ended = true;
      m_changed.notify_all();
    }
  } else {
    const std::lock_guard hold{m_lock};
    if (m_phase == phase::passes_on) {
      if (m_guard.command() > 0) ::kill(m_guard.command(), signal);
    } else if (m_phase == phase::keeps) {
      m_kept.push_back(signal);
    } else if (ends_a_program(signal)) {
      m_first = signal;
      m_kept.assign(1, signal);  // if the lock is had all the same
      m_wish.request_stop();
    }
  }
  return false;
}

void signals::keep() {
  const std::lock_guard hold{m_lock};
  m_phase = phase::keeps;
}

void signals::pass_on() {
  const std::lock_guard hold{m_lock};
  m_phase = phase::passes_on;
  for (const int signal : m_kept) {
    if (m_guard.command() > 0) ::kill(m_guard.command(), signal);
  }
}

bool signals::wait_for_guard(std::chrono::nanoseconds d) {
  std::unique_lock hold{m_lock};
  return m_changed.wait_for(hold, d, [&] { return m_guard_has_ended; });
}

// The shell that waits for mortise is to see it. The lease is not renewed meanwhile, and the guard keeps the deadline.
void signals::stop_too() {
  if (!m_terminal.is_ours() || !stops_a_job(m_guard.stopped_by())) return;
  m_terminal.give_to(::getpgrp());
  ::kill(::getpid(), SIGSTOP);  // goes on here after `fg` or `bg`
  if (m_terminal.is_with(::getpgrp())) m_terminal.give_to(m_guard.command());
  m_guard.go_on();
}

}  // namespace app::cluster
