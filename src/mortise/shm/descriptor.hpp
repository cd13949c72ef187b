#pragma once

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include <unistd.h>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// A file descriptor and whoever closes it.
class descriptor {
 public:
  descriptor() = default;
  explicit descriptor(int fd) noexcept : m_fd{fd} {}
  descriptor(descriptor&& o) noexcept : m_fd{o.release()} {}
  descriptor& operator=(descriptor&& o) noexcept {
    if (this != &o) reset(o.release());
    return *this;
  }
  ~descriptor() { reset(-1); }

  int get() const noexcept { return m_fd; }
  explicit operator bool() const noexcept { return m_fd >= 0; }
  int release() noexcept { return std::exchange(m_fd, -1); }
  void reset(int fd) noexcept {
    const int before = errno;
    if (m_fd >= 0) ::close(m_fd);
    m_fd = fd;
    errno = before;
  }

 private:
  int m_fd = -1;
};

// Another open file description of the same file, which shares no locks with that of `fd`. -1 and errno. May be called in
// a forked child of several threads.
int reopen(int fd) noexcept;

[[noreturn]] inline void throw_errno(const std::string& what) {
  throw std::system_error{errno, std::generic_category(), what};
}

}  // namespace mortise::inline MORTISE_ABI::shm
