#pragma once

// A child that runs under ptrace, an instruction at a time, and can be killed before whichever it is to run next.

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "child.hpp"

extern "C" char __executable_start, etext;  // the linker's

namespace crash {

using address = std::uint64_t;

// Code of the library and of the test, and not of the C library.
inline bool is_our_code(address a) noexcept {
  return a >= reinterpret_cast<address>(&__executable_start) && a < reinterpret_cast<address>(&etext);
}

// Not inline: where a child begins and ends must not be mixed with what is between.
[[gnu::noinline]] inline void tell_tracer(int signal) noexcept {
  ::syscall(SYS_tgkill, ::getpid(), ::syscall(SYS_gettid), signal);
}

class traced {
 public:
  enum class state { runs, ended, hangs, fails };

  // Runs f(begin) in a child; what it does from the call of begin() to its end is what may be stepped through.
  template <class F>
  explicit traced(F f)
      : m_child{[&f] {
                  f([] {
                    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
                    tell_tracer(SIGSTOP);
                  });
                  tell_tracer(SIGUSR2);
                  return 0;
                },
                60} {
    int status = 0;
    const bool stopped = ::waitpid(m_child.pid(), &status, __WALL) == m_child.pid() && WIFSTOPPED(status) &&
                         WSTOPSIG(status) == SIGSTOP;
    m_state = stopped ? state::runs : state::fails;
    if (stopped) {
      ::ptrace(PTRACE_SETOPTIONS, m_child.pid(), nullptr, reinterpret_cast<void*>(PTRACE_O_EXITKILL));
    } else {
      note(status);
    }
  }

  state step() noexcept { return go(PTRACE_SINGLESTEP); }

#if defined(__x86_64__)
  static auto& counter(user_regs_struct& r) noexcept { return r.rip; }
#else
  static auto& counter(user_regs_struct& r) noexcept { return r.pc; }
#endif

  // What it runs next.
  address where() const noexcept {
    user_regs_struct r;
    return registers(PTRACE_GETREGSET, r) ? counter(r) : 0;
  }

  // Runs until it is to execute `a` for the k-th time, counted from now.
  state run_to(address a, unsigned k) noexcept;

  state is() const noexcept { return m_state; }
  const std::string& failure() const noexcept { return m_failure; }
  void kill() const noexcept { m_child.signal(SIGKILL); }  // it dies where it is
  void reap() noexcept { m_child.wait(); }

 private:
  bool registers(int request, user_regs_struct& r) const noexcept {
    iovec io{&r, sizeof r};
    return ::ptrace(static_cast<__ptrace_request>(request), m_child.pid(),
                    reinterpret_cast<void*>(NT_PRSTATUS), &io) == 0;
  }

  state go(int how) noexcept {
    int status = 0;
    if (m_state != state::runs) return m_state;
    if (::ptrace(static_cast<__ptrace_request>(how), m_child.pid(), nullptr, nullptr) != 0 ||
        ::waitpid(m_child.pid(), &status, __WALL) != m_child.pid()) {
      m_failure = "it cannot be traced";
      return m_state = state::fails;
    }
    if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP) return m_state;
    if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGUSR2) return m_state = state::ended;
    if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGALRM) return m_state = state::hangs;
    note(status);
    return m_state = state::fails;
  }

  void note(int status) {
    if (WIFSTOPPED(status)) {
      m_failure = "the child gets signal " + std::to_string(WSTOPSIG(status));
    } else if (WIFSIGNALED(status)) {
      m_failure = "the child dies of signal " + std::to_string(WTERMSIG(status));
    } else {
      m_failure = "the child ends with " + std::to_string(WEXITSTATUS(status));
    }
  }

  child m_child;
  state m_state = state::runs;
  std::string m_failure;
};

#if defined(__x86_64__)

// By a breakpoint: a step costs 2 to 40 us, as the machine is, and a breakpoint as much as one step.
inline traced::state traced::run_to(address a, unsigned k) noexcept {
  constexpr long byte = 0xff, int3 = 0xcc;
  const pid_t pid = m_child.pid();
  const auto at = reinterpret_cast<void*>(a);
  errno = 0;
  const long code = ::ptrace(PTRACE_PEEKTEXT, pid, at, nullptr);
  if (errno != 0) return m_state = state::fails;
  const auto plant = [&](long word) { ::ptrace(PTRACE_POKETEXT, pid, at, reinterpret_cast<void*>(word)); };
  unsigned hits = where() == a ? 1 : 0;
  while (hits < k && m_state == state::runs) {
    if (hits > 0 && step() != state::runs) break;
    if (where() != a) {  // else it is a repeated instruction, which has come to itself
      plant((code & ~byte) | int3);
      go(PTRACE_CONT);
      if (m_state != state::runs) break;
      plant(code);
      user_regs_struct r;
      if (!registers(PTRACE_GETREGSET, r)) return m_state = state::fails;
      r.rip = a;
      registers(PTRACE_SETREGSET, r);
    }
    ++hits;
  }
  return m_state;
}

#else

inline traced::state traced::run_to(address a, unsigned k) noexcept {
  unsigned hits = where() == a ? 1 : 0;
  while (hits < k && step() == state::runs) {
    if (where() == a) ++hits;
  }
  return m_state;
}

#endif

}  // namespace crash
