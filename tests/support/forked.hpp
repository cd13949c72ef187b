#pragma once

// Children of a test, and what they share with it.

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <new>
#include <type_traits>

#include <mortise/wait/context.hpp>
#include <support/fork_whole.hpp>

namespace mortise::test {

// A T that parent and children share.
template <class T>
class shared_with_children {
 public:
  shared_with_children() {
    void* const at = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) std::abort();
    m_value = new (at) T{};
  }
  ~shared_with_children() { ::munmap(m_value, sizeof(T)); }
  shared_with_children(const shared_with_children&) = delete;
  shared_with_children& operator=(const shared_with_children&) = delete;
  T& operator*() const { return *m_value; }
  T* operator->() const { return m_value; }

 private:
  T* m_value;
};

// Until `condition()` is true. Tests wait for states, not for times.
template <class F>
void await(F condition) {
  while (!condition()) ::usleep(100);
}

// Runs `f` in a forked child, whose end is a success if `f` returned, did not return false, and failed no expectation. It is killed with
// this object, and after two minutes.
class child {
 public:
  template <class F>
  explicit child(F f) : m_pid{fork_whole()} {
    if (m_pid < 0) std::abort();
    if (m_pid != 0) return;
    ::signal(SIGALRM, SIG_DFL);
    ::alarm(120);
    mortise::wait::exchange_context(nullptr);  // the child of a fiber has no worker
    bool good = true;
    if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
      f();
    } else {
      good = f();
    }
    ::_exit(good && !testing::Test::HasFailure() ? 0 : 1);
  }
  ~child() {
    if (m_pid > 0) kill();
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;

  pid_t pid() const { return m_pid; }
  void kill() {
    ::kill(m_pid, SIGKILL);
    ended();
  }
  void stop() {
    int status;
    ::kill(m_pid, SIGSTOP);
    ::waitpid(m_pid, &status, WUNTRACED);
  }
  void go_on() { ::kill(m_pid, SIGCONT); }

  // Waits for its end.
  int ended() {
    int status = 0;
    ::waitpid(m_pid, &status, 0);
    m_pid = -1;
    return status;
  }
  testing::AssertionResult succeeded() {
    const int status = ended();
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return testing::AssertionSuccess();
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
      return testing::AssertionFailure() << "the child hangs";
    return testing::AssertionFailure() << "the child failed, status " << status;
  }

 private:
  pid_t m_pid;
};

}  // namespace mortise::test
