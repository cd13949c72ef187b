#include "line.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace cluster_test {

namespace {
sockaddr_in loopback(unsigned short port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}
}  // namespace

line::line(std::string to) {
  const std::size_t colon = to.rfind(':');
  m_scheme = to.substr(0, to.find(':'));
  m_far_port = static_cast<unsigned short>(std::stoi(to.substr(colon + 1)));
  sockaddr_in a = loopback(0);
  socklen_t size = sizeof a;
  m_listens = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (m_listens < 0 || ::bind(m_listens, reinterpret_cast<sockaddr*>(&a), size) != 0 ||
      ::listen(m_listens, 64) != 0 || ::getsockname(m_listens, reinterpret_cast<sockaddr*>(&a), &size) != 0)
    throw std::runtime_error{"a line"};
  m_port = ntohs(a.sin_port);
  m_thread = std::thread{[this] { serve(); }};
}

line::~line() {
  m_ends = true;
  m_thread.join();
  for (const pair& p : m_pairs) {
    ::close(p.near);
    ::close(p.far);
  }
  ::close(m_listens);
}

std::string line::endpoint() const { return m_scheme + "://127.0.0.1:" + std::to_string(m_port); }
void line::await_a_round() {
  for (const unsigned now = m_rounds; m_rounds < now + 2;) ::usleep(1000);
}
void line::freeze() {
  m_frozen = true;
  await_a_round();
}
void line::thaw() { m_frozen = false; }
void line::cut() {
  m_cut = true;
  await_a_round();
}
void line::mend() { m_cut = false; }

bool line::pass(int from, int to) {
  std::array<char, 65536> part;
  const ssize_t n = ::recv(from, part.data(), part.size(), 0);
  for (ssize_t done = 0; done < n;) {
    const ssize_t sent = ::send(to, part.data() + done, static_cast<std::size_t>(n - done), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    done += sent;
  }
  return n > 0;
}

void line::serve() {
  while (!m_ends) {
    std::vector<pollfd> all{{m_listens, POLLIN, 0}};
    const bool frozen = m_frozen;
    ++m_rounds;
    for (const pair& p : m_pairs) {
      const short wanted = frozen ? 0 : POLLIN;
      all.push_back({p.near, wanted, 0});
      all.push_back({p.far, wanted, 0});
    }
    if (frozen) all.resize(1);
    ::poll(all.data(), all.size(), 5);
    std::vector<pair> stay;
    for (std::size_t i = 0; i < m_pairs.size(); ++i) {
      const pair p = m_pairs[i];
      bool ok = !m_cut;
      if (!frozen && ok) {
        if ((all[1 + 2 * i].revents) != 0) ok = pass(p.near, p.far);
        if (ok && (all[2 + 2 * i].revents) != 0) ok = pass(p.far, p.near);
      }
      if (ok) {
        stay.push_back(p);
      } else {
        ::close(p.near);
        ::close(p.far);
      }
    }
    m_pairs = std::move(stay);
    if ((all[0].revents & POLLIN) == 0) continue;
    const int near = ::accept4(m_listens, nullptr, nullptr, SOCK_CLOEXEC);
    if (near < 0) continue;
    const int far = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in a = loopback(m_far_port);
    if (m_cut || ::connect(far, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0) {
      ::close(near);
      ::close(far);
      continue;
    }
    ++m_connections;
    m_pairs.push_back({near, far});
  }
}

}  // namespace cluster_test
