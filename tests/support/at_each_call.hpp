#pragma once

// A child stopped at its first system call, its second, and so on, before and after each: what it has done for others to see up to
// there, it has done by system calls.

#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace mortise::test {

// Runs `f` in a child, again and again, each time up to one stop more; there calls `at_stop(child)`, and then lets the child go on or, if
// `killed`, kills it; at last calls `after()`. Ends when the child has got through. False: this process may not trace.
template <class F, class AtStop, class After>
bool at_each_call(bool killed, F f, AtStop at_stop, After after) {
  for (int stops = 1;; ++stops) {
    SCOPED_TRACE(stops);
    const pid_t child = ::fork();
    if (child == 0) {
      if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(78);
      ::raise(SIGSTOP);
      f();
      ::_exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status)) return false;
    ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    for (int i = 0; i < stops && WIFSTOPPED(status); ++i) {
      ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
      ::waitpid(child, &status, 0);
    }
    const bool through = !WIFSTOPPED(status);
    if (!through) {
      at_stop(child);
      if (killed) ::kill(child, SIGKILL);
      ::ptrace(PTRACE_DETACH, child, nullptr, nullptr);
      ::waitpid(child, &status, 0);
    }
    if (through || !killed) EXPECT_EQ(status, 0) << "stopped at call " << stops;
    after();
    if (through || testing::Test::HasFailure()) return true;
  }
}

}  // namespace mortise::test
