#pragma once

// Children that end with the test, whatever becomes of it.

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

#include <support/fork_whole.hpp>

namespace crash {

class child {
 public:
  // Runs `f` in a process of its own, which ends with what f returns. One that takes `seconds` is ended by SIGALRM.
  template <class F>
  explicit child(F f, unsigned seconds = 120) {
    const pid_t parent = ::getpid();
    m_pid = mortise::test::fork_whole();
    if (m_pid != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(99);  // it was gone already
    ::signal(SIGALRM, SIG_DFL);
    ::alarm(seconds);
    int how = 98;
    try {
      how = f();
    } catch (const std::exception& e) {  // else it would go on with its parent's tests
      std::fprintf(stderr, "in a child: %s\n", e.what());
    }
    ::_exit(how);
  }
  child(child&& other) noexcept : m_pid{std::exchange(other.m_pid, -1)}, m_status{other.m_status} {}
  child& operator=(child&& other) noexcept {
    if (this != &other) {
      end();
      m_pid = std::exchange(other.m_pid, -1);
      m_status = other.m_status;
    }
    return *this;
  }
  ~child() { end(); }

  pid_t pid() const noexcept { return m_pid; }
  void signal(int number) const noexcept {
    if (m_pid > 0) ::kill(m_pid, number);
  }

  // Waits until it is gone: its exit status, or minus the signal it died of.
  int wait() noexcept {
    if (m_pid > 0) {
      while (::waitpid(m_pid, &m_status, __WALL) == m_pid ? WIFSTOPPED(m_status) : errno == EINTR) {}
      m_pid = -1;
    }
    return WIFSIGNALED(m_status) ? -WTERMSIG(m_status) : WEXITSTATUS(m_status);
  }

  // Whether it is gone; never waits.
  bool gone() noexcept {
    if (m_pid > 0 && ::waitpid(m_pid, &m_status, WNOHANG | __WALL) == m_pid && !WIFSTOPPED(m_status))
      m_pid = -1;
    return m_pid <= 0;
  }

  void forget() noexcept { m_pid = -1; }  // somebody else has waited for it

  int kill() noexcept {
    signal(SIGKILL);
    return wait();
  }

 private:
  void end() noexcept {
    if (m_pid > 0) kill();
  }

  pid_t m_pid = -1;
  int m_status = 0;
};

// The longer version of a test: MORTISE_CRASH=full, as ./dev check sets it.
inline bool in_full() noexcept {
  const char* const how = std::getenv("MORTISE_CRASH");
  return how != nullptr && std::string{how} == "full";
}

}  // namespace crash
