#include <mortise/task/stalled_for.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {

// The beginning of a file of /proc; empty where there is none.
struct text {
  char chars[256] = "";
};

text of_thread(int thread, const char* file) noexcept {
  text t;
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/%s", thread, file);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return t;
  const ssize_t n = ::read(fd, t.chars, sizeof t.chars - 1);
  t.chars[n < 0 ? 0 : n] = '\0';
  ::close(fd);
  return t;
}

}  // namespace

schedule schedule_of(int thread) noexcept {
  schedule s;
  // "<ns on a processor> <ns runnable without one> <turns>"
  if (std::sscanf(of_thread(thread, "schedstat").chars, "%ld %ld", &s.ran, &s.waited) != 2) s = {};
  // "<number> (<name>) <state> ...", and the name may have any characters
  const text stat = of_thread(thread, "stat");
  const char* const name_end = std::strrchr(stat.chars, ')');
  s.runnable = name_end != nullptr && std::strncmp(name_end, ") R", 3) == 0;
  return s;
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
