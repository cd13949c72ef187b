#include <app/lock/inherited.hpp>

#include <dirent.h>

#include <charconv>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>

namespace app::lock {
namespace {

bool holds_flock(int descriptor) {
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(descriptor));
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("lock:") && line.find("FLOCK") != std::string::npos) return true;
  }
  return false;
}

}  // namespace

std::optional<int> inherited_lock(const struct stat& file) {
  const std::unique_ptr<DIR, int (*)(DIR*)> open{::opendir("/proc/self/fd"), ::closedir};
  if (!open) return std::nullopt;
  while (const dirent* entry = ::readdir(open.get())) {
    int descriptor = -1;
    const char* name = entry->d_name;
    if (std::from_chars(name, name + std::strlen(name), descriptor).ec != std::errc{}) continue;
    struct stat it{};
    if (::fstat(descriptor, &it) == 0 && it.st_dev == file.st_dev && it.st_ino == file.st_ino &&
        holds_flock(descriptor))
      return descriptor;
  }
  return std::nullopt;
}

}  // namespace app::lock
