// How a signal comes to COMMAND, which is in this process's group:
// - what a terminal sends, it sends to the whole group: COMMAND has it already. The kernel says that it comes from itself. That a terminal is gone
//   it tells the leader of its session alone, which this process is under `ssh -t host mortise lock ...`; a leader passes it on.
// - what somebody sends to this process is passed on. One who sends it to the whole group is not told from one who does not: COMMAND then has
//   it twice.
// - SIGKILL and SIGSTOP cannot be passed on. After SIGKILL COMMAND goes on, and holds the lock by the descriptor that it inherited.
// No handler runs: all signals are blocked before COMMAND begins and taken one by one, so none is lost and none comes too early.
#include <app/lock/options.hpp>
#include <app/lock/supervise.hpp>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include <mortise/base/sanitizers.hpp>

namespace app::lock {
namespace {

// Blocks all but those that a fault raises in who it happens to.
sigset_t block_signals() {
  sigset_t all, before;
  ::sigfillset(&all);
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS}) ::sigdelset(&all, fault);
  ::sigprocmask(SIG_BLOCK, &all, &before);
  return before;
}

int spawn(std::vector<std::string>& command, const sigset_t& mask, pid_t& child) {
  std::vector<char*> words;
  for (std::string& word : command) words.push_back(word.data());
  words.push_back(nullptr);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  ::posix_spawnattr_setsigmask(&attributes, &mask);
  const int error = ::posix_spawnp(&child, words[0], nullptr, &attributes, words.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  return error;
}

pid_t start(std::vector<std::string> command, const sigset_t& mask) {
  pid_t child = -1;
  int error = spawn(command, mask, child);
  if (error == ENOEXEC) {  // a script that does not say of what: a shell's, as execvp(3) has it
    std::vector<std::string> by_shell{"/bin/sh", "-c", "exec \"$0\" \"$@\""};
    by_shell.insert(by_shell.end(), command.begin(), command.end());
    error = spawn(by_shell, mask, child);
  }
  if (error == 0) return child;
  throw why_not(command[0], error);
}

// Of a pipe that COMMAND has closed nobody else should hold an end.
void close_all_but(int lock) {
  if (mortise::sanitized) return;  // they report at the end
  ::close_range(0, static_cast<unsigned>(lock) - 1, 0);
  ::close_range(static_cast<unsigned>(lock) + 1, ~0U, 0);
}

bool is_from_terminal(const siginfo_t& signal) {
  if (signal.si_code != SI_KERNEL) return false;
  switch (signal.si_signo) {
    case SIGHUP:  // these two a session's leader gets alone when the terminal is gone
    case SIGCONT: return ::getsid(0) != ::getpid();
    case SIGINT:
    case SIGQUIT:
    case SIGWINCH:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU: return true;
    default: return false;  // an alarm, say, that was set before mortise was executed
  }
}

// COMMAND has stopped as one does in a job: then we do, by which a shell sees it. By the same signal, which the kernel ignores where no
// shell looks after the group and nobody would continue us. Not after SIGSTOP: it is meant for whom it was sent to, and so is the SIGCONT after it.
void stop_too(int signal) {
  if (signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU) return;
  ::raise(signal);
  sigset_t it;
  ::sigemptyset(&it);
  ::sigaddset(&it, signal);
  ::sigprocmask(SIG_UNBLOCK, &it, nullptr);  // stops here
  ::sigprocmask(SIG_BLOCK, &it, nullptr);
}

}  // namespace

cannot_run why_not(const std::string& command, int error) {
  const int code = error == ENOENT                      ? not_found
                   : error == EAGAIN || error == ENOMEM ? own_error
                                                        : not_runnable;
  return {code, fmt::format("{}: {}", command, std::strerror(error))};
}

ended supervise(std::vector<std::string> command, int lock) {
  ::signal(SIGCHLD, SIG_DFL);  // one who ignores it is not told how COMMAND ended
  const sigset_t before = block_signals();
  const pid_t child = start(std::move(command), before);
  close_all_but(lock);
  sigset_t all;
  ::sigfillset(&all);
  for (;;) {
    siginfo_t signal{};
    if (::sigwaitinfo(&all, &signal) < 0) continue;
    if (signal.si_signo != SIGCHLD) {
      if (!is_from_terminal(signal)) ::kill(child, signal.si_signo);
      continue;
    }
    siginfo_t news{};
    if (::waitid(P_PID, static_cast<id_t>(child), &news, WEXITED | WSTOPPED | WNOHANG) != 0 ||
        news.si_pid == 0)
      continue;
    if (news.si_code == CLD_STOPPED) {
      stop_too(news.si_status);
    } else {
      return news.si_code == CLD_EXITED ? ended{news.si_status, 0} : ended{0, news.si_status};
    }
  }
}

void end_by(int signal) {
  ::prctl(PR_SET_DUMPABLE, 0);
  ::signal(signal, SIG_DFL);
  sigset_t it;
  ::sigemptyset(&it);
  ::sigaddset(&it, signal);
  ::raise(signal);
  ::sigprocmask(SIG_UNBLOCK, &it, nullptr);
}

}  // namespace app::lock
