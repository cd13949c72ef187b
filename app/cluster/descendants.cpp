#include <app/cluster/descendants.hpp>

#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

namespace app::cluster {
namespace {

// 0: it is no more.
pid_t parent_of(pid_t process) {
  char text[512];
  const int fd = ::open(("/proc/" + std::to_string(process) + "/stat").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t n = ::read(fd, text, sizeof text - 1);
  ::close(fd);
  if (n <= 0) return 0;
  text[n] = '\0';
  const char* const end = std::strrchr(text, ')');  // of a name that may have anything in it
  int parent = 0;
  char state = ' ';
  if (end == nullptr || std::sscanf(end + 1, " %c %d", &state, &parent) != 2) return 0;
  return parent;
}

}  // namespace

std::vector<pid_t> descendants() {
  std::vector<std::pair<pid_t, pid_t>> all;  // with their parents
  DIR* const processes = ::opendir("/proc");
  if (processes == nullptr) return {};
  while (const dirent* e = ::readdir(processes)) {
    const pid_t process = std::atoi(e->d_name);
    if (process > 0) all.emplace_back(process, parent_of(process));
  }
  ::closedir(processes);
  std::vector<pid_t> found{::getpid()};
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const auto& [process, parent] : all) {
      if (parent == found[i]) found.push_back(process);
    }
  }
  found.erase(found.begin());
  return found;
}

void signal_descendants(int signal, pid_t but_group) {
  for (const pid_t process : descendants()) {
    if (but_group == 0 || ::getpgid(process) != but_group) ::kill(process, signal);
  }
}

void kill_descendants() {
  for (;;) {
    signal_descendants(SIGKILL);
    pid_t reaped = 0;
    while ((reaped = ::waitpid(-1, nullptr, WNOHANG)) > 0) {}
    if (reaped < 0 && errno == ECHILD) return;
    const timespec millisecond{0, 1'000'000};
    ::nanosleep(&millisecond, nullptr);
  }
}

}  // namespace app::cluster
