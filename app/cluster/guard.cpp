#include <app/cluster/guard.hpp>
#include <app/cluster/guard_page.hpp>
#include <app/cluster/guard_process.hpp>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>
#include <utility>

namespace app::cluster {

guard::guard(std::vector<std::string> command, mortise::nanos grace, const sigset_t& mask)
    : m_page{make_shared_pages<page>(1)} {
  std::array<int, 2> line{};
  if (::pipe2(line.data(), O_CLOEXEC) != 0) throw std::system_error{errno, std::generic_category(), "a pipe"};
  const pid_t parent = ::getpid();
  m_process = ::fork();
  if (m_process == 0) {
    ::close(line[1]);  // or it would wait for itself
    guard_process{m_page[0], line[0], parent, std::move(command), grace, mask}.run();
    ::_exit(0);
  }
  const int error = errno;
  ::close(line[0]);
  m_line = line[1];
  if (m_process < 0) {
    ::close(m_line);
    throw std::system_error{error, std::generic_category(), "a process"};
  }
  ::setpgid(m_process, m_process);  // whoever of the two is first
}

guard::~guard() {
  ::close(m_line);
  int status = 0;
  while (::waitpid(m_process, &status, 0) < 0 && errno == EINTR) {}
}

void guard::tell(word w) noexcept {
  const char c = static_cast<char>(w);
  // One who is gone needs no word. (SIGPIPE is blocked or ignored: lock.cpp)
  while (::write(m_line, &c, 1) < 0 && errno == EINTR) {}
}

void guard::start(const std::string& lock, std::uint64_t token, mortise::nanos deadline) noexcept {
  std::snprintf(m_page[0].lock.data(), m_page[0].lock.size(), "%s", lock.c_str());
  m_page[0].token = token;
  put_off(deadline);
  tell(word::start);
}

void guard::put_off(mortise::nanos deadline) noexcept {
  m_page[0].deadline.store(deadline, mortise::memory_order_relaxed);
}

void guard::lock_is_gone() noexcept {
  m_page[0].gone.store(1, mortise::memory_order_relaxed);
  tell(word::look);
}

pid_t guard::command() const noexcept { return m_page[0].command.load(mortise::memory_order_acquire); }
int guard::stopped_by() const noexcept { return m_page[0].stopped_by.load(mortise::memory_order_acquire); }
void guard::go_on() noexcept {
  if (command() > 0) ::kill(-command(), SIGCONT);
}

guard::result guard::ended() const noexcept {
  const page& p = m_page[0];
  return {p.code, p.signal, p.start_error, p.in_time, p.has_ended};
}

int guard::stop_news() noexcept { return SIGRTMIN + 2; }

}  // namespace app::cluster
