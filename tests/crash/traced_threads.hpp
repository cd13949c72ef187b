#pragma once

// A child all of whose threads are traced. One of them runs an instruction at a time, the others as they like, and all die when
// that one has run so many.

#include <sys/ptrace.h>
#include <sys/syscall.h>

#include <cerrno>
#include <string>
#include <vector>

#include "traced.hpp"

namespace crash {

class traced_threads {
 public:
  // Runs f(begin) in a child, where any thread may call begin().
  template <class F>
  explicit traced_threads(F f)
      : m_child{[&f] {
                  ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
                  tell_tracer(SIGSTOP);
                  f([] { tell_tracer(SIGUSR1); });
                  tell_tracer(SIGUSR2);
                  return 0;
                },
                60} {}
  traced_threads(const traced_threads&) = delete;
  traced_threads& operator=(const traced_threads&) = delete;
  ~traced_threads() {
    kill();
    reap();
  }

  // From begin() on: steps thread `victim` (0: the first one, 1: the one that it has started first, ...) up to `most` times, and
  // leaves it there. `ended`: the child has come to its end before.
  traced::state step(unsigned victim, std::size_t most) {
    pid_t stepped = -1;
    m_steps = 0;
    for (;;) {
      int status = 0;
      const pid_t tid = ::waitpid(-1, &status, __WALL);
      if (tid < 0) return fail("no child to wait for");
      if (!WIFSTOPPED(status)) {
        if (tid == m_child.pid()) return fail("the child has ended");
        continue;  // one of its threads
      }
      const int signal = WSTOPSIG(status), event = status >> 16;
      if (event == PTRACE_EVENT_CLONE) {
        unsigned long made = 0;
        ::ptrace(PTRACE_GETEVENTMSG, tid, nullptr, &made);
        m_threads.push_back(static_cast<pid_t>(made));
        resume(tid, tid == stepped);
      } else if (signal == SIGUSR2) {
        return traced::state::ended;
      } else if (signal == SIGALRM) {
        return traced::state::hangs;
      } else if (signal == SIGUSR1) {  // begin()
        if (victim >= m_threads.size()) return fail("there is no such thread");
        stepped = m_threads[victim];
        if (stepped != tid) ::syscall(SYS_tgkill, m_child.pid(), stepped, SIGSTOP);
        if (stepped == tid && most == 0) return traced::state::runs;
        resume(tid, stepped == tid);
      } else if (signal == SIGSTOP) {
        if (m_threads.empty()) {  // the first stop of all
          m_threads.push_back(tid);
          ::ptrace(PTRACE_SETOPTIONS, tid, nullptr,
                   reinterpret_cast<void*>(PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE));
        }
        if (tid == stepped && m_steps >= most) return traced::state::runs;
        resume(tid, tid == stepped);
      } else if (signal == SIGTRAP && tid == stepped) {
        if (++m_steps >= most) return traced::state::runs;
        resume(tid, true);
      } else if (signal == SIGTRAP) {
        resume(tid, false);
      } else {
        return fail("the child gets signal " + std::to_string(signal));
      }
    }
  }

  std::size_t steps() const noexcept { return m_steps; }
  std::size_t threads() const noexcept { return m_threads.size(); }
  const std::string& failure() const noexcept { return m_failure; }

  void kill() const noexcept { m_child.signal(SIGKILL); }
  void reap() noexcept {  // its threads are told of too, and it only after them
    if (m_reaped) return;
    int status = 0;
    pid_t gone;
    while ((gone = ::waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
      if (gone == m_child.pid() && !WIFSTOPPED(status)) break;
    }
    m_reaped = true;
    m_child.forget();
  }

 private:
  static void resume(pid_t tid, bool one_step) noexcept {
    ::ptrace(one_step ? PTRACE_SINGLESTEP : PTRACE_CONT, tid, nullptr, nullptr);
  }
  traced::state fail(std::string why) {
    m_failure = std::move(why);
    return traced::state::fails;
  }

  child m_child;
  std::vector<pid_t> m_threads;
  std::size_t m_steps = 0;
  std::string m_failure;
  bool m_reaped = false;
};

}  // namespace crash
