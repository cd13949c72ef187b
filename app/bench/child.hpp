#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace app::bench {

// How a program that was run to its end did.
struct child_result {
  std::string out, err;
  int status = 0;            // as of waitpid
  bool timed_out = false;    // killed
  bool interrupted = false;  // killed, since this process was asked to end

  bool well() const { return status == 0 && !timed_out && !interrupted; }
  // Why not, in one line: "exit 1: the counter does not add up".
  std::string why() const;
};

// Runs `words` with their output caught, in a process group of its own, which is killed when the time is over. Throws
// std::system_error when it cannot be started.
child_result run_child(const std::vector<std::string>& words, std::chrono::milliseconds limit);

}  // namespace app::bench
