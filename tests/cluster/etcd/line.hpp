#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace cluster_test {

// A port of the loopback address whose connections go on to another one, until they are cut, or nothing gets through.
class line {
 public:
  explicit line(std::string to);  // an endpoint, http://127.0.0.1:PORT
  line(const line&) = delete;
  line& operator=(const line&) = delete;
  ~line();

  std::string endpoint() const;
  void freeze();  // what comes is kept, on both sides; connections stay; nothing is on its way any more
  void thaw();
  void cut();   // all connections have ended; new ones are ended at once
  void mend();  // new ones go through again
  unsigned connections() const { return m_connections; }

 private:
  struct pair {
    int near, far;
  };
  void await_a_round();
  void serve();
  bool pass(int from, int to);

  std::string m_scheme;
  unsigned short m_far_port = 0, m_port = 0;
  int m_listens = -1;
  std::vector<pair> m_pairs;
  std::atomic<bool> m_frozen{false}, m_cut{false}, m_ends{false};
  std::atomic<unsigned> m_connections{0}, m_rounds{0};
  std::thread m_thread;
};

}  // namespace cluster_test
