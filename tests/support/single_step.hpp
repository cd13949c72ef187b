#pragma once

#include <cerrno>
#include <csignal>

#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mortise::test {

// A forked child that runs `f` one instruction at a time, and can be killed at each of them.
class stepped_child {
 public:
  template <class F>
  explicit stepped_child(F f) : m_pid{::fork()} {
    if (m_pid == 0) {
      if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(refused);
      ::raise(SIGSTOP);  // the first step is in here
      f();
      ::_exit(0);
    }
    m_stopped = wait();
  }
  stepped_child(const stepped_child&) = delete;
  stepped_child& operator=(const stepped_child&) = delete;
  ~stepped_child() { kill(); }

  // False: this system lets nobody step, or there is no child.
  bool works() const noexcept { return m_stopped; }
  pid_t pid() const noexcept { return m_pid; }

  // One instruction, or one system call. False: the child has ended.
  bool step() {
    if (m_stopped) m_stopped = ::ptrace(PTRACE_SINGLESTEP, m_pid, nullptr, nullptr) == 0 && wait();
    return m_stopped;
  }

  void kill() {
    if (m_pid <= 0 || m_ended) return;
    ::kill(m_pid, SIGKILL);
    while (!m_ended) wait();
  }

 private:
  static constexpr int refused = 77;

  // True: it has stopped.
  bool wait() {
    int status = 0;
    pid_t which;
    do which = ::waitpid(m_pid, &status, 0);
    while (which < 0 && errno == EINTR);
    m_ended = which < 0 || WIFEXITED(status) || WIFSIGNALED(status);
    return !m_ended && WIFSTOPPED(status);
  }

  pid_t m_pid;
  bool m_stopped = false;
  bool m_ended = false;
};

}  // namespace mortise::test
