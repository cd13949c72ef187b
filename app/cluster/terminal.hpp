#pragma once

#include <fcntl.h>
#include <unistd.h>

namespace app::cluster {

// The terminal that this process's group reads from, if it does: it is lent to COMMAND's group.
class terminal {
 public:
  terminal() : m_fd{::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)} {
    m_is_ours = m_fd >= 0 && ::tcgetpgrp(m_fd) == ::getpgrp();
  }
  terminal(const terminal&) = delete;
  terminal& operator=(const terminal&) = delete;
  ~terminal() {
    if (m_fd >= 0) ::close(m_fd);
  }
  bool is_ours() const noexcept { return m_is_ours; }
  // Requires: SIGTTOU is blocked.
  void give_to(pid_t group) const noexcept {
    if (m_is_ours) ::tcsetpgrp(m_fd, group);
  }
  bool is_with(pid_t group) const noexcept { return m_is_ours && ::tcgetpgrp(m_fd) == group; }

 private:
  int m_fd;
  bool m_is_ours;
};

}  // namespace app::cluster
