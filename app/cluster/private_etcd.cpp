#include "app/cluster/private_etcd.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace mortise::app {

namespace {

using namespace std::chrono_literals;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error{errno, std::generic_category(), "a private etcd: " + what};
}

sockaddr_in loopback(unsigned short port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

// Three that are free now; somebody else may take one before etcd does, which then ends.
std::array<unsigned short, 3> free_ports() {
  std::array<unsigned short, 3> ports{};
  std::array<int, 3> sockets{};
  for (std::size_t i = 0; i < 3; ++i) {
    sockaddr_in a = loopback(0);
    socklen_t size = sizeof a;
    sockets[i] = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (sockets[i] < 0 || ::bind(sockets[i], reinterpret_cast<sockaddr*>(&a), size) != 0 ||
        ::getsockname(sockets[i], reinterpret_cast<sockaddr*>(&a), &size) != 0)
      fail("a free port");
    ports[i] = ntohs(a.sin_port);
  }
  for (const int s : sockets) ::close(s);
  return ports;
}

std::string find(const std::string& program) {
  if (program.find('/') != std::string::npos) return ::access(program.c_str(), X_OK) == 0 ? program : "";
  const char* path = std::getenv("PATH");
  std::string rest = path == nullptr ? "/usr/bin:/bin" : path;
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::string file = rest.substr(0, end) + "/" + program;
    if (::access(file.c_str(), X_OK) == 0) return file;
    rest.erase(0, end == std::string::npos ? end : end + 1);
  }
  return "";
}

std::string temporary_directory() {
  std::string name = (std::filesystem::temp_directory_path() / "mortise-etcd-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) fail(name);
  return name;
}

}  // namespace

bool private_etcd::is_installed(const std::string& program) { return !find(program).empty(); }

private_etcd::private_etcd(options o) : m_options{std::move(o)} {
  if (find(m_options.program).empty())
    throw std::runtime_error{"a private etcd: there is no '" + m_options.program +
                             "'; on Debian it is in etcd-server"};
  m_directory = temporary_directory();
  for (int attempt = 1;; ++attempt) {
    const auto ports = free_ports();
    m_port = ports[0];
    m_peer_port = ports[1];
    m_metrics_port = ports[2];
    m_endpoint =
        (m_options.certificate_file.empty() ? "http" : "https") + ("://127.0.0.1:" + std::to_string(m_port));
    try {
      start();
      return;
    } catch (const std::exception&) {
      kill();
      const bool was_port = last_words().find("address already in use") != std::string::npos;
      std::error_code ignored;
      if (attempt == 3 || !was_port) {
        std::filesystem::remove_all(m_directory, ignored);
        throw;
      }
      std::filesystem::remove_all(m_directory + "/data", ignored);
    }
  }
}

private_etcd::~private_etcd() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(m_directory, ignored);
}

std::vector<std::string> private_etcd::command() const {
  const std::string peer = "http://127.0.0.1:" + std::to_string(m_peer_port);
  std::vector<std::string> words{find(m_options.program),
                                 "--name=private",
                                 "--data-dir=" + m_directory + "/data",
                                 "--listen-client-urls=" + m_endpoint,
                                 "--advertise-client-urls=" + m_endpoint,
                                 "--listen-peer-urls=" + peer,
                                 "--initial-advertise-peer-urls=" + peer,
                                 "--initial-cluster=private=" + peer,
                                 "--listen-metrics-urls=http://127.0.0.1:" + std::to_string(m_metrics_port),
                                 "--logger=zap",
                                 "--log-level=warn"};
  if (!m_options.certificate_file.empty()) {
    words.push_back("--cert-file=" + m_options.certificate_file);
    words.push_back("--key-file=" + m_options.key_file);
  }
  if (!m_options.client_ca_file.empty()) {
    words.push_back("--client-cert-auth");
    words.push_back("--trusted-ca-file=" + m_options.client_ca_file);
  }
  words.insert(words.end(), m_options.extra.begin(), m_options.extra.end());
  return words;
}

void private_etcd::start() {
  if (m_pid > 0) return;
  std::vector<std::string> words = command();
  std::vector<char*> argv;
  for (std::string& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  const int log = ::open((m_directory + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (log < 0 || nothing < 0) fail(m_directory);
  const pid_t parent = ::getpid();
  m_pid = ::fork();
  if (m_pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::setpgid(0, 0);  // a terminal's Ctrl-C is for us
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(log);
  ::close(nothing);
  if (m_pid < 0) fail("fork");
  wait_until_ready();
}

void private_etcd::wait_until_ready() {
  const auto until = std::chrono::steady_clock::now() + m_options.ready_within;
  while (says("/health").find("\"true\"") == std::string::npos) {
    if (::waitpid(m_pid, nullptr, WNOHANG) == m_pid) {
      m_pid = -1;
      throw std::runtime_error{"a private etcd: it has ended: " + last_words()};
    }
    if (std::chrono::steady_clock::now() > until)
      throw std::runtime_error{"a private etcd: it does not answer: " + last_words()};
    std::this_thread::sleep_for(10ms);
  }
}

std::string private_etcd::says(const std::string& path) const {
  const int s = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (s < 0) fail("a socket");
  const sockaddr_in a = loopback(m_metrics_port);
  const timeval bound{2, 0};
  ::setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  const std::string asks = "GET " + path + " HTTP/1.0\r\n\r\n";
  std::string text;
  if (::connect(s, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0 &&
      ::send(s, asks.data(), asks.size(), MSG_NOSIGNAL) > 0) {
    std::array<char, 4096> part;
    for (ssize_t n; (n = ::recv(s, part.data(), part.size(), 0)) > 0;)
      text.append(part.data(), static_cast<std::size_t>(n));
  }
  ::close(s);
  return text;
}

void private_etcd::kill() {
  if (m_pid <= 0) return;
  ::kill(m_pid, SIGKILL);
  while (::waitpid(m_pid, nullptr, 0) < 0 && errno == EINTR) {}
  m_pid = -1;
}

void private_etcd::stop() {
  if (m_pid > 0) ::kill(m_pid, SIGSTOP);
}

void private_etcd::go_on() {
  if (m_pid > 0) ::kill(m_pid, SIGCONT);
}

std::string private_etcd::last_words() const {
  std::ifstream in{m_directory + "/log"};
  std::string last, line;
  while (std::getline(in, line)) {
    if (!line.empty()) last = line;
  }
  return last;
}

}  // namespace mortise::app
