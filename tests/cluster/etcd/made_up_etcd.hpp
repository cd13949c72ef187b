#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace cluster_test {

// Speaks etcd's protocol, and says what a test wants it to.
class made_up_etcd {
 public:
  struct said {
    int code = 0;  // a status of gRPC
    std::string text;
    std::string bytes;  // if it is 0
  };
  made_up_etcd();
  made_up_etcd(const made_up_etcd&) = delete;
  made_up_etcd& operator=(const made_up_etcd&) = delete;
  ~made_up_etcd();

  std::string endpoint() const;
  // What the next requests for `method` ("Txn") are answered with, one after the other, the last one from then on.
  void answers(const std::string& method, std::vector<said> with);
  unsigned asked(const std::string& method) const;                      // how often
  std::vector<std::string> tokens_of(const std::string& method) const;  // that came with each

 private:
  class service;
  struct parts;
  std::unique_ptr<parts> m_parts;
};

}  // namespace cluster_test
