#include <app/lock/inherited.hpp>
#include <app/lock/lock_file.hpp>
#include <app/lock/lock_until.hpp>
#include <app/run/options.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <stdexcept>

#include <mortise/shm/descriptor.hpp>
#include <mortise/shm/directory.hpp>
#include <mortise/shm/error.hpp>
#include <mortise/shm/place.hpp>

namespace app::lock {
namespace {

// COMMAND inherits a descriptor that scripts do not use by number: they like 3 to 9, 200 (flock(1)'s manual) and, for bash itself, 255. And
// never 0, 1 or 2, though one of these were free: COMMAND would print into the lock's file.
constexpr int first_inherited = 64;

const std::string& checked(const std::string& name) {
  try {
    mortise::shm::place{name};
  } catch (const mortise::shm::error&) {
    throw usage_error(fmt::format(
        "NAME: {} is none: 1 to 64 letters, digits, '.', '-' and '_', and none of '.' and '-' first",
        name.empty() ? "''" : name));
  }
  return name;
}

using mortise::shm::descriptor;

class file {
 public:
  explicit file(const std::string& name)
      : m_name{name}, m_file_name{name + ".lock"}, m_directory{mortise::shm::open_runtime_directory()} {}

  // Open and checked, made if there is none.
  descriptor open() const {
    constexpr int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    for (;;) {
      int fd = ::openat(m_directory.get(), m_file_name.c_str(), flags);
      if (fd < 0 && errno == ENOENT) {
        const mode_t mask =
            ::umask(077);  // COMMAND gets it back; it must not make a file that its owner cannot open again
        fd = ::openat(m_directory.get(), m_file_name.c_str(), flags | O_CREAT | O_EXCL, 0600);
        const int error = errno;
        ::umask(mask);
        errno = error;
        if (fd < 0 && errno == EEXIST) continue;  // another was quicker
      }
      if (fd < 0 && errno == ELOOP) refuse("is a symbolic link");
      if (fd < 0) refuse(fmt::format("cannot be opened: {}", std::strerror(errno)));
      descriptor opened{fd};
      check(status_of(fd));
      return opened;
    }
  }

  // Whether the name is still this file's: who removed it would let two holders in.
  bool is_named(int fd) const {
    struct stat named{};
    if (::fstatat(m_directory.get(), m_file_name.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return false;
      refuse(fmt::format("cannot be looked at: {}", std::strerror(errno)));
    }
    const struct stat it = status_of(fd);
    if (named.st_dev != it.st_dev || named.st_ino != it.st_ino) return false;
    check(it);  // it may have got a link, or lost its length, while we waited
    return true;
  }

  // By the holder only. One more than the last, and no less than the time: so it grows also where the file was removed, lost at a
  // reboot, or has come back from one without what was written last, for no lock is acquired each nanosecond. The old token stands until
  // the 8 bytes are written, which happens in one piece: one who is killed before has told nobody of the new one.
  std::uint64_t next_token(int fd) const {
    std::uint64_t last = 0;
    if (::pread(fd, &last, sizeof last, 0) < 0)
      refuse(fmt::format("cannot be read: {}", std::strerror(errno)));
    if (last == std::numeric_limits<std::uint64_t>::max())
      refuse("has come to the greatest token that there is: remove it");
    struct timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    const std::uint64_t token = std::max(last + 1, static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
                                                       static_cast<std::uint64_t>(now.tv_nsec));
    const ssize_t written = ::pwrite(fd, &token, sizeof token, 0);
    if (written != sizeof token)
      refuse(fmt::format("cannot be written: {}", std::strerror(written < 0 ? errno : ENOSPC)));
    return token;
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw std::runtime_error(
        fmt::format("lock {}: {}/{} {}", m_name, mortise::shm::runtime_directory(), m_file_name, why));
  }

  struct stat status_of(int fd) const {
    struct stat it{};
    if (::fstat(fd, &it) != 0) refuse(fmt::format("cannot be looked at: {}", std::strerror(errno)));
    return it;
  }

 private:
  void check(const struct stat& it) const {
    if (!S_ISREG(it.st_mode)) refuse("is no regular file");
    if (it.st_uid != ::geteuid())
      refuse(fmt::format("belongs to user {}, and you are user {}", it.st_uid, ::geteuid()));
    if ((it.st_mode & 07777) != 0600)
      refuse(fmt::format("has mode {:04o}; a lock's file has 0600", it.st_mode & 07777));
    if (it.st_nlink > 1) refuse(fmt::format("has {} links; a lock's file has one", it.st_nlink));
    if (it.st_size != 0 && it.st_size != sizeof(std::uint64_t))
      refuse(fmt::format("has {} bytes; a lock's file has none or 8", it.st_size));
  }

  std::string m_name, m_file_name;
  descriptor m_directory;
};

}  // namespace

std::optional<held_lock> acquire(const std::string& name, std::optional<std::int64_t> deadline_ns) {
  const file lock{checked(name)};
  for (;;) {
    const descriptor opened = lock.open();
    const bool at_once = lock_until(opened.get(), 0);
    if (!at_once && !deadline_ns) {
      if (const auto ours = inherited_lock(lock.status_of(opened.get())))
        lock.refuse(fmt::format(
            "is locked by what this runs under, and by descriptor {} that it inherited: it would wait for itself",
            *ours));
    }
    if (!at_once && !lock_until(opened.get(), deadline_ns)) return std::nullopt;
    if (!lock.is_named(opened.get())) continue;
    const std::uint64_t token = lock.next_token(opened.get());
    int inherited = ::fcntl(opened.get(), F_DUPFD, first_inherited);
    if (inherited < 0)
      inherited = ::fcntl(opened.get(), F_DUPFD, STDERR_FILENO + 1);  // few descriptors are allowed
    if (inherited < 0) lock.refuse(fmt::format("cannot be passed on: {}", std::strerror(errno)));
    return held_lock{inherited, token};
  }
}

}  // namespace app::lock
