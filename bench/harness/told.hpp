#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>

namespace bench {

// Another program that says lines and is told to go on. It is killed when the thread ends that started it. One thread uses it at a time.
class told {
 public:
  explicit told(std::vector<std::string> words) : m_name{words.front()} {
    std::array<int, 2> in{}, out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe: no descriptors");
    if (::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe: no descriptors");
    std::vector<char*> argv;
    for (std::string& w : words) argv.push_back(w.data());
    argv.push_back(nullptr);
    m_pid = ::fork();
    if (m_pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    m_in = in[1];
    m_out = out[0];
    if (m_pid < 0) throw std::runtime_error("fork failed");
  }
  told(told&& from) noexcept
      : m_name{std::move(from.m_name)},
        m_pid{std::exchange(from.m_pid, -1)},
        m_in{std::exchange(from.m_in, -1)},
        m_out{std::exchange(from.m_out, -1)},
        m_heard{std::move(from.m_heard)} {}
  told& operator=(told&&) = delete;
  ~told() {
    kill();
    if (m_in >= 0) ::close(m_in);
    if (m_out >= 0) ::close(m_out);
  }

  // The next line that it says. Throws: std::runtime_error, it has ended or says nothing within so long.
  std::string hear(std::chrono::milliseconds within = std::chrono::seconds{60}) {
    const auto until = std::chrono::steady_clock::now() + within;
    for (std::size_t end = 0; (end = m_heard.find('\n')) == std::string::npos;) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      pollfd p{m_out, POLLIN, 0};
      if (left.count() <= 0 || ::poll(&p, 1, static_cast<int>(left.count())) == 0)
        throw std::runtime_error(m_name + " says nothing");
      std::array<char, 4096> some{};
      const ssize_t n = ::read(m_out, some.data(), some.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) throw std::runtime_error(m_name + " has ended");
      m_heard.append(some.data(), static_cast<std::size_t>(n));
    }
    const std::size_t end = m_heard.find('\n');
    std::string line = m_heard.substr(0, end);
    m_heard.erase(0, end + 1);
    return line;
  }
  void hear(const char* what) {
    const std::string line = hear();
    if (line != what) throw std::runtime_error(m_name + " says '" + line + "' instead of '" + what + "'");
  }

  void go_on() {
    if (::write(m_in, "go\n", 3) != 3) throw std::runtime_error(m_name + " does not listen");
  }

  void kill() {
    if (m_pid <= 0) return;
    ::kill(m_pid, SIGKILL);
    bury();
  }

  // Throws: std::runtime_error, it has not ended well.
  void end() {
    if (bury() != 0) throw std::runtime_error(m_name + " has not ended well");
  }

 private:
  int bury() {
    int status = 0;
    while (::waitpid(m_pid, &status, 0) < 0 && errno == EINTR) {}
    m_pid = -1;
    return status;
  }

  std::string m_name;
  pid_t m_pid = -1;
  int m_in = -1, m_out = -1;
  std::string m_heard;
};

}  // namespace bench
