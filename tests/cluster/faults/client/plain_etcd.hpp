#pragma once

// etcd as a program uses it that knows no better: single requests that block, each with a deadline. For the control arms.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arm.hpp"

namespace faults {

enum class answer {
  yes,
  none  // it may have been done, or be done yet
};

class plain_etcd {
 public:
  explicit plain_etcd(const std::vector<std::string>& endpoints);
  ~plain_etcd();

  std::int64_t grant(std::chrono::milliseconds ttl);  // 0: none
  bool keep_alive(std::int64_t lease);                // false: there is none, or no answer
  void revoke(std::int64_t lease);
  std::optional<std::string> get(const std::string& key);  // "" if there is none; nothing without an answer
  answer put(const std::string& key, const std::string& value);

  // etcd's v3lock service: waits until `name` is held with the lease; the key that says so, or nothing.
  std::optional<std::string> lock(const std::string& name, std::int64_t lease,
                                  std::chrono::milliseconds within);
  void unlock(const std::string& key);

  // The list under a key with one element more, by a get and a put that nothing connects. Between them is where whoever holds a lock
  // may have lost it.
  result get_and_put(const std::string& key, std::int64_t element);
  result read(const std::string& key);

 private:
  class channel;
  std::unique_ptr<channel> m_channel;
};

}  // namespace faults
