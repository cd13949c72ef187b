#pragma once

#include <string>

namespace app {

// The file of --trace: a timeline of what happens from now until it is written.
class trace_file {
 public:
  // Empty: none is wanted. Throws usage_error if the file cannot be written.
  explicit trace_file(std::string file);
  trace_file(const trace_file&) = delete;
  trace_file& operator=(const trace_file&) = delete;
  ~trace_file();

  // False: that failed, as is told in one line on standard error, like a timeline that is shorter than what happened.
  bool write();

 private:
  std::string m_file;
};

}  // namespace app
