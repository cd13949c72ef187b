#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <app/run/shared_pages.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>

namespace app::cluster {

// A small process between `mortise lock --cluster` and COMMAND, which runs no longer than the lock is good, whatever becomes of `mortise`: it is
// killed with SIGKILL, stopped, or sees no processor.
//
// Promises, of COMMAND and all that it has started, however often it has forked and left its process group:
// - it gets SIGTERM (the whole process group, and what has left it) `grace` before the deadline, and SIGKILL before the deadline, if that was not put off;
// - it gets SIGKILL at once when the lock is gone, or `mortise` is;
// - when COMMAND has ended, what it has left running has `grace` to end by itself, and then gets SIGTERM, and SIGKILL `grace` later: nothing goes
//   on without the lock.
// If the guard itself is killed COMMAND is too, by the kernel; what it has started comes to mortise (which is a subreaper), and is killed there.
class guard {
 public:
  struct result {
    int code = 0, signal = 0;  // how COMMAND ended: by this signal, if it is not 0
    int start_error = 0;       // errno, if it did not start
    bool in_time = true;       // false: the deadline came, or the lock was gone
    bool has_ended = false;    // false: the guard was killed, and COMMAND with it
  };

  // Forks: requires that this process has one thread. `mask`: which signals COMMAND is to have blocked. Throws std::system_error.
  guard(std::vector<std::string> command, mortise::nanos grace, const sigset_t& mask);
  guard(const guard&) = delete;
  guard& operator=(const guard&) = delete;
  ~guard();  // of what it has not been told to start nothing is left

  pid_t process() const noexcept { return m_process; }

  // Starts COMMAND with these in its environment. The deadline is by CLOCK_BOOTTIME.
  void start(const std::string& lock, std::uint64_t token, mortise::nanos deadline) noexcept;
  void put_off(mortise::nanos deadline) noexcept;
  void lock_is_gone() noexcept;
  pid_t command() const noexcept;   // 0: not yet
  int stopped_by() const noexcept;  // the last signal by which COMMAND was stopped
  void go_on() noexcept;            // after that, as `fg` does
  // Once the process has been waited for.
  result ended() const noexcept;

  // What it sends to this process when COMMAND was stopped.
  static int stop_news() noexcept;

 private:
  struct page;
  friend class guard_process;
  enum class word : char { start = 's', look = 'l' };
  void tell(word w) noexcept;

  std::unique_ptr<page[], unmap> m_page;
  int m_line = -1;  // closed by the kernel when this process is gone, which is how the guard knows
  pid_t m_process = -1;
};

}  // namespace app::cluster
