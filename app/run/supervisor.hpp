#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <mortise/base/clock.hpp>

namespace app {

// With what a process ends that cannot do its work.
inline constexpr int ended_by_exception = 1;

// Processes that this one forks, each for a place, and what becomes of them. None outlives this process: the kernel kills them
// when it is gone, however it went. Signals from a terminal end the run and are this process's alone.
//
// Requires: this process has one thread.
class supervisor {
 public:
  // `body` is what a process does, in it; it ends with its return. `why` is what it left to say about its end, or "".
  supervisor(unsigned places, std::function<void(unsigned place)> body,
             std::function<std::string(unsigned place)> why);
  ~supervisor();  // kills those that still run
  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;

  // Throws start_error: it cannot be had.
  void start(unsigned place);
  // With SIGKILL, and returns when it is gone; another one is started there. Throws start_error.
  void replace(unsigned place);
  // Throws start_error if one of them has ended: none may before it is told to.
  void look();
  // They have been told to end. False: some did not within `seconds`, and have been killed. Throws start_error: one ended ill.
  bool join(int seconds);

  unsigned places() const noexcept { return static_cast<unsigned>(m_of.size()); }
  std::int64_t cpu_ns() const;          // of all there are and were
  std::int64_t rss_peak_bytes() const;  // the sum of the largest of each place, of those that ended

 private:
  struct process {
    pid_t id = 0;  // 0: none
    std::int64_t rss_peak_bytes = 0;
  };
  // False: it runs still.
  bool reap(process& p, bool wait, int& status);
  void bury(mortise::nanos killed_before);
  [[noreturn]] void ended_ill(unsigned place, int status) const;

  std::function<void(unsigned)> m_body;
  std::function<std::string(unsigned)> m_why;
  std::vector<process> m_of;
  struct killed {
    unsigned place;
    process was;
    mortise::nanos when;
  };
  std::vector<killed> m_unburied;
  std::int64_t m_ended_cpu_ns = 0;
};

}  // namespace app
