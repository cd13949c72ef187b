#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace app::lock {

// COMMAND does not run: what() is one line, code() is 126, 127, or 125 if it is for want of a process.
class cannot_run : public std::runtime_error {
 public:
  cannot_run(int code, const std::string& text) : std::runtime_error{text}, m_code{code} {}
  int code() const noexcept { return m_code; }

 private:
  int m_code;
};

// What execvp(3) said of COMMAND.
cannot_run why_not(const std::string& command, int error);

// How a command ended: by exit code, or, if it is not 0, by a signal.
struct ended {
  int code;
  int signal;
};

// Runs the command, found as execvp(3) finds it, until it has ended, and passes on to it the signals that are sent to this
// process. It inherits `lock`; of what else is open here it has all, and this process closes it. Throws cannot_run.
ended supervise(std::vector<std::string> command, int lock);

// Ends this process by the signal, without a core of its own; returns only if the system does not let it.
void end_by(int signal);

}  // namespace app::lock
