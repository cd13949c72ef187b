#include <mortise/shm/process.hpp>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>

#include <mortise/shm/descriptor.hpp>

namespace mortise::inline MORTISE_ABI::shm {

std::optional<process_look> look_at_process(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file && (errno == EMFILE || errno == ENFILE)) throw_errno("cannot open " + path);
  char text[512];
  const ssize_t n = file ? ::read(file.get(), text, sizeof text) : -1;
  if (n <= 0) return std::nullopt;
  std::string_view line{text, static_cast<std::size_t>(n)};
  // "PID (command) state ...": the command may hold anything, parentheses too. The start time is the 22nd field.
  const std::size_t open = line.find('('), close = line.rfind(')');
  if (open == line.npos || close == line.npos || close < open || close + 2 >= line.size())
    return std::nullopt;
  process_look found{};
  line.substr(open + 1, close - open - 1).copy(found.command, sizeof found.command - 1);
  found.state = line[close + 2];
  line.remove_prefix(close + 2);
  for (int field = 3; field < 22; ++field) line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
  const auto read = std::from_chars(line.data(), line.data() + line.size(), found.start_time);
  if (read.ec != std::errc{}) return std::nullopt;
  return found;
}

std::uint64_t pid_namespace() noexcept {
  struct stat s{};
  return ::stat("/proc/self/ns/pid", &s) == 0 ? s.st_ino : 0;
}

}  // namespace mortise::inline MORTISE_ABI::shm
