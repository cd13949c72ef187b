#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

// A single etcd of our own on this machine: in a temporary directory, on free ports of the loopback address, gone with us. For `mortise run --scope
// cluster` without endpoints, and for tests.
namespace mortise::app {

class private_etcd {
 public:
  struct options {
    std::string program = "etcd";  // looked for in PATH
    // PEM files; both: clients connect by https
    std::string certificate_file, key_file;
    std::string client_ca_file;      // then clients need a certificate of it
    std::vector<std::string> extra;  // more flags
    std::chrono::nanoseconds ready_within{std::chrono::seconds{20}};
  };

  static bool is_installed(const std::string& program = "etcd");

  // Returns when it says that it is well. Throws std::runtime_error with the last line it wrote, std::system_error. The process ends when the
  // thread ends that called this, or killed with it.
  explicit private_etcd(options o);
  private_etcd() : private_etcd{options{}} {}
  private_etcd(const private_etcd&) = delete;
  private_etcd& operator=(const private_etcd&) = delete;
  ~private_etcd();  // ends it by SIGKILL, and removes the directory

  const std::string& endpoint() const noexcept { return m_endpoint; }
  std::string metrics_endpoint() const { return "http://127.0.0.1:" + std::to_string(m_metrics_port); }
  const std::string& directory() const noexcept { return m_directory; }
  pid_t pid() const noexcept { return m_pid; }

  // As if the machine had lost power; afterwards the same again, with what it had stored.
  void kill();
  void start();
  void stop();  // SIGSTOP
  void go_on();

  // What it says of itself over HTTP: "/health", "/metrics"; empty: nothing.
  std::string says(const std::string& path) const;

  // The last line that it wrote.
  std::string last_words() const;

 private:
  std::vector<std::string> command() const;
  void wait_until_ready();
  options m_options;
  std::string m_directory;
  unsigned short m_port = 0, m_peer_port = 0, m_metrics_port = 0;
  std::string m_endpoint;
  pid_t m_pid = -1;
};

}  // namespace mortise::app
