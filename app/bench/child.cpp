#include <app/bench/child.hpp>
#include <app/run/interrupt.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <system_error>

extern char** environ;

namespace app::bench {
namespace {

struct pipe_ends {
  int read = -1, write = -1;
  pipe_ends() {
    int both[2];
    if (::pipe2(both, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    read = both[0];
    write = both[1];
  }
  ~pipe_ends() {
    close(read);
    close(write);
  }
  pipe_ends(const pipe_ends&) = delete;
  pipe_ends& operator=(const pipe_ends&) = delete;
  static void close(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

pid_t start(const std::vector<std::string>& words, const pipe_ends& out, const pipe_ends& err) {
  // Asked for first: an emulator of a processor starts the child before it finds out (qemu-user has no vfork).
  if (::access(words[0].c_str(), X_OK) != 0)
    throw std::system_error(errno, std::generic_category(), words[0]);
  std::vector<char*> argv;
  for (const std::string& w : words) argv.push_back(const_cast<char*>(w.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, out.write, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, err.write, STDERR_FILENO);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t child = -1;
  const int error = ::posix_spawn(&child, argv[0], &files, &attributes, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) throw std::system_error(error, std::generic_category(), words[0]);
  return child;
}

// Takes what is there; closes at the end.
void drain(int& fd, std::string& into) {
  std::array<char, 65536> part;
  const ssize_t n = ::read(fd, part.data(), part.size());
  if (n > 0) into.append(part.data(), static_cast<std::size_t>(n));
  if (n == 0 || (n < 0 && errno != EINTR)) pipe_ends::close(fd);
}

std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  const std::size_t begin = text.rfind('\n');
  if (begin != std::string::npos) text.erase(0, begin + 1);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text.size() <= 160 ? text : text.substr(0, 157) + "...";
}

}  // namespace

std::string child_result::why() const {
  if (interrupted) return "interrupted";
  std::string said = last_line(err);
  if (said.empty()) said = "no word";
  if (timed_out) return "did not end in time";
  if (WIFSIGNALED(status)) return fmt::format("signal {}: {}", WTERMSIG(status), said);
  return fmt::format("exit {}: {}", WEXITSTATUS(status), said);
}

child_result run_child(const std::vector<std::string>& words, std::chrono::milliseconds limit) {
  using clock = std::chrono::steady_clock;
  pipe_ends out, err;
  const pid_t child = start(words, out, err);
  pipe_ends::close(out.write);
  pipe_ends::close(err.write);
  child_result result;
  const auto end = clock::now() + limit;
  // Until both are closed: a program that closes them early but goes on is waited for below, and one that leaves a
  // child with them is killed with its group when the time is over.
  while (out.read >= 0 || err.read >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - clock::now()).count();
    result.timed_out = left <= 0;
    result.interrupted = interrupt::signal() != 0;
    if (result.timed_out || result.interrupted) break;
    pollfd both[2] = {{out.read, POLLIN, 0}, {err.read, POLLIN, 0}};
    ::poll(both, 2, static_cast<int>(std::min<long>(left, 100)));
    if (both[0].revents != 0) drain(out.read, result.out);
    if (both[1].revents != 0) drain(err.read, result.err);
  }
  while (!result.timed_out && !result.interrupted) {
    const pid_t ended = ::waitpid(child, &result.status, WNOHANG);
    if (ended == child) return result;
    result.timed_out = clock::now() >= end;
    result.interrupted = interrupt::signal() != 0;
    ::usleep(200);
  }
  ::kill(-child, SIGKILL);
  while (::waitpid(child, &result.status, 0) < 0 && errno == EINTR) {}
  return result;
}

}  // namespace app::bench
