#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "arm.hpp"

namespace faults {

// What this process has done, a line at a time, in the form that tests/cluster/README.md tells. Lines reach the file before anything
// else happens, so that they outlive a process that is killed. Several threads may write.
class history {
 public:
  explicit history(const char* file);  // ends the program if it cannot be written
  ~history();
  history(const history&) = delete;
  history& operator=(const history&) = delete;

  // Returns what to call `ends` with.
  std::int64_t add_begins(const std::string& key, std::int64_t element);
  std::int64_t read_begins(const std::string& key);
  void add_ends(std::int64_t op, const result& r) { ends(op, r, false); }
  void read_ends(std::int64_t op, const result& r) { ends(op, r, true); }

 private:
  std::int64_t begins(const std::string& key, const std::string& what);
  void ends(std::int64_t op, const result& r, bool read);
  void write(const std::string& line);

  const int m_file;
  std::atomic<std::int64_t> m_next{1};
};

}  // namespace faults
