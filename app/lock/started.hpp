#pragma once

// What the tests of `mortise lock` share: programs that are started.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <support/runtime_place.hpp>

namespace app::lock::test {

using mortise::test::runtime_place;

// A program that runs: its input, which ends when `end_input` is called or this is destroyed, and what it prints.
class started {
 public:
  enum class group {
    ours,
    own,
    session
  };  // a process group of its own; a session, in which nobody looks after groups

  explicit started(std::vector<std::string> words, group g = group::ours) {
    std::array<int, 2> in{}, out{}, err{};
    for (std::array<int, 2>* ends : {&in, &out, &err}) {
      if (::pipe2(ends->data(), O_CLOEXEC) != 0) std::abort();
    }
    std::vector<char*> argv;
    for (std::string& w : words) argv.push_back(w.data());
    argv.push_back(nullptr);
    m_process = ::fork();
    if (m_process == 0) {
      if (g == group::own) ::setpgid(0, 0);
      if (g == group::session) ::setsid();
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(err[1], STDERR_FILENO);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    for (const int fd : {in[0], out[1], err[1]}) ::close(fd);
    m_in = in[1], m_out = out[0], m_err = err[0];
  }
  ~started() {
    end_input();
    if (!m_ended) wait();
    ::close(m_out);
    ::close(m_err);
  }
  started(const started&) = delete;
  started& operator=(const started&) = delete;

  pid_t process() const { return m_process; }
  void end_input() {
    if (m_in >= 0) ::close(std::exchange(m_in, -1));
  }
  void kill(int signal) const { ::kill(m_process, signal); }

  // The next line of its output, without its end; nothing when there is no more.
  std::string line() { return read(m_out, '\n'); }
  std::string rest() { return read(m_out, -1); }
  std::string errors() { return read(m_err, -1); }

  // Waits until it has ended: its exit code, or the signal, negative.
  int wait() {
    if (!m_ended) ::waitpid(m_process, &m_status, 0);
    m_ended = true;
    return WIFEXITED(m_status) ? WEXITSTATUS(m_status) : -WTERMSIG(m_status);
  }
  // Waits until it has stopped: by which signal; 0: it has ended.
  int wait_stopped() {
    ::waitpid(m_process, &m_status, WUNTRACED);
    m_ended = !WIFSTOPPED(m_status);
    return m_ended ? 0 : WSTOPSIG(m_status);
  }

 private:
  static std::string read(int fd, int end) {
    std::string text;
    for (char c; ::read(fd, &c, 1) == 1;) {
      if (c == end) break;
      text += c;
    }
    return text;
  }

  pid_t m_process = -1;
  int m_in = -1, m_out = -1, m_err = -1, m_status = 0;
  bool m_ended = false;
};

// How a program ended, and what it printed.
struct result {
  int code;
  std::string out, err;
};

// The words of `mortise lock` and these.
inline std::vector<std::string> lock(std::vector<std::string> words) {
  words.insert(words.begin(), {MORTISE_COMMAND, "lock"});
  return words;
}
inline std::vector<std::string> lock(std::vector<std::string> words,
                                     const std::vector<std::string>& command) {
  words.insert(words.end(), command.begin(), command.end());
  return lock(std::move(words));
}
inline std::vector<std::string> shell(const std::string& script) { return {"/bin/sh", "-c", script}; }

inline result run(std::vector<std::string> words) {
  started program{std::move(words)};
  program.end_input();
  result r{0, program.rest(), program.errors()};
  r.code = program.wait();
  return r;
}

// Whether somebody holds it now.
inline bool is_held(const std::string& name) {
  return run(lock({name, "--no-wait", "-E", "77", "/bin/true"})).code == 77;
}

// What stands behind `key:` in /proc/PROCESS/status.
inline std::string status_of(pid_t process, const std::string& key) {
  std::ifstream status("/proc/" + std::to_string(process) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":\t")) return line.substr(key.size() + 2);
  }
  return {};
}

// Sleeps until the kernel says that the process waits for a lock on a file: on this one, if one is named. False: it has ended instead.
inline bool await_waiting(pid_t process, const std::string& file = {}) {
  const std::string who = std::string{" "}.append(std::to_string(process)).append(" ");
  struct stat it{};
  std::string what;  // of the file as it is named now
  if (!file.empty() && ::stat(file.c_str(), &it) == 0) what = ":" + std::to_string(it.st_ino) + " ";
  for (;;) {
    std::ifstream locks("/proc/locks");
    for (std::string line; std::getline(locks, line);) {
      if (line.find("-> FLOCK") != std::string::npos && line.find(who) != std::string::npos &&
          line.find(what) != std::string::npos)
        return true;
    }
    const std::string state = status_of(process, "State");
    if (state.empty() || state[0] == 'Z') return false;
    ::usleep(1000);
  }
}

}  // namespace app::lock::test
