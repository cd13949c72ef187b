#pragma once

// Processes beside this one, which run a body and end.

#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include <bench/harness/shared_memory.hpp>

namespace bench {

// Requires: no other thread runs in this process when one is made.
class forked {
 public:
  template <class Body>
  explicit forked(Body body) {
    const pid_t parent = ::getpid();
    m_id = ::fork();
    if (m_id < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (m_id != 0) return;
    // It does not outlive who measures; nor does it run destructors, or print again what stands in stdout's buffer.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    try {
      body();
      ::_exit(0);
    } catch (const std::exception& e) {
      const std::string_view said = e.what();
      std::memcpy(m_trouble->text, said.data(), std::min(said.size(), sizeof m_trouble->text - 1));
      ::_exit(1);
    }
  }
  ~forked() {
    if (m_id <= 0) return;
    ::kill(m_id, SIGKILL);
    reap(0);
  }
  forked(const forked&) = delete;
  forked& operator=(const forked&) = delete;

  // Waits for its end. Throws what it threw.
  void join() {
    reap(0);
    require_sound();
  }
  // Throws if it has ended badly.
  void require_sound() {
    reap(WNOHANG);
    if (m_id != 0 || m_status == 0) return;
    const std::string said = m_trouble->text;
    if (!said.empty()) throw std::runtime_error(said);
    throw std::runtime_error("a process ended with status " + std::to_string(m_status));
  }

  void kill() { ::kill(m_id, SIGKILL); }
  // Of one that was killed.
  void bury() { reap(0); }

  // What it has used so far, of its threads. Requires: it was not waited for.
  std::int64_t cpu_ns() const {
    clockid_t clock{};
    timespec t{};
    if (::clock_getcpuclockid(m_id, &clock) != 0 || ::clock_gettime(clock, &t) != 0)
      throw std::runtime_error("the CPU time of a process is not known");
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
  }

 private:
  struct words {
    char text[200];
  };

  void reap(int how) {
    if (m_id <= 0) return;
    pid_t ended = 0;
    do {
      ended = ::waitpid(m_id, &m_status, how);
    } while (ended < 0 && errno == EINTR);
    if (ended != 0) m_id = 0;
  }

  shared_memory<words> m_trouble;
  pid_t m_id = 0;  // 0: it was waited for
  int m_status = 0;
};

// Some that do the same work: body(0) .. body(count - 1).
class crew {
 public:
  template <class Body>
  crew(unsigned count, Body body) {
    for (unsigned i = 0; i < count; ++i) m_all.emplace_back([&] { body(i); });
  }

  void require_sound() {
    for (forked& each : m_all) each.require_sound();
  }
  void join() {
    for (forked& each : m_all) each.join();
  }
  std::int64_t cpu_ns() const {
    std::int64_t sum = 0;
    for (const forked& each : m_all) sum += each.cpu_ns();
    return sum;
  }

 private:
  std::deque<forked> m_all;
};

}  // namespace bench
