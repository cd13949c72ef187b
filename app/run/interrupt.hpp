#pragma once

#include <chrono>

namespace app {

// SIGINT and SIGTERM end a run early instead of the program, while this lives. One at a time.
class interrupt {
 public:
  interrupt();
  ~interrupt();
  interrupt(const interrupt&) = delete;
  interrupt& operator=(const interrupt&) = delete;

  // The signal that came, or 0.
  static int signal() noexcept;

  // Sleeps until the moment or until a signal comes.
  static void sleep_until(std::chrono::steady_clock::time_point t);
};

}  // namespace app
