#pragma once

// The command as a person runs it. For tests that are told where it is (MORTISE_COMMAND).

#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace mortise::test {

struct outcome {
  int code = -1;  // or -signal
  std::string out, err;
};

inline std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> part;
  for (ssize_t n; (n = ::read(fd, part.data(), part.size())) > 0;)
    text.append(part.data(), static_cast<std::size_t>(n));
  ::close(fd);
  return text;
}

// Whether the process has a handler for the signal, as the kernel tells it.
inline bool catches(pid_t process, int signal) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("SigCgt:"))
      return (std::stoull(line.substr(7), nullptr, 16) >> (signal - 1) & 1) != 0;
  }
  return false;
}

// The command while it runs, in a process group of its own.
class running_command {
 public:
  // `shell`, if given, is what a shell does before it.
  explicit running_command(std::vector<std::string> words, const std::string& shell = "") {
    int out[2], err[2];
    if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) return;
    m_process = ::fork();
    if (m_process == 0) {
      ::setpgid(0, 0);
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(err[1], STDERR_FILENO);
      words.insert(words.begin(), MORTISE_COMMAND);
      if (!shell.empty()) words.insert(words.begin(), {"/bin/sh", "-c", shell});
      std::vector<char*> argv;
      for (std::string& w : words) argv.push_back(w.data());
      argv.push_back(nullptr);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::setpgid(m_process, m_process);  // whoever of the two is first
    ::close(out[1]);
    ::close(err[1]);
    m_out = out[0];
    m_err = err[0];
  }
  running_command(const running_command&) = delete;
  running_command& operator=(const running_command&) = delete;
  ~running_command() {
    if (m_process <= 0) return;
    ::kill(-m_process, SIGKILL);
    end();
  }

  pid_t process() const noexcept { return m_process; }

  // As soon as it handles the signal.
  void send(int signal, bool to_its_group = false) const {
    for (int tries = 0; tries < 6000 && !catches(m_process, signal); ++tries) ::usleep(10'000);
    ::kill(to_its_group ? -m_process : m_process, signal);
  }

  // Waits for its end.
  outcome end() {
    outcome o{-1, read_all(m_out), read_all(m_err)};
    int status = 0;
    ::waitpid(m_process, &status, 0);
    m_process = 0;
    o.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return o;
  }

 private:
  pid_t m_process = 0;
  int m_out = -1, m_err = -1;
};

// Runs the command to its end; `signal`, if given, is sent as soon as it handles it.
inline outcome command(std::vector<std::string> words, int signal = 0, const std::string& shell = "") {
  running_command c{std::move(words), shell};
  if (signal != 0) c.send(signal);
  return c.end();
}

}  // namespace mortise::test
