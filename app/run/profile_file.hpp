#pragma once

#include <string>

#include <app/run/options.hpp>
#include <mortise/insight/profile.hpp>

namespace app {

// The contention profile of a run, for the file of --profile and the picture of --report. It runs as long as this lives, if one of them is wanted.
class profile_file {
 public:
  // Throws usage_error if the file cannot be written, or this build cannot write it: before there is anything to write.
  explicit profile_file(const run_options& o);
  profile_file(const profile_file&) = delete;
  profile_file& operator=(const profile_file&) = delete;
  ~profile_file() { mortise::insight::profile::stop(); }

  // Ends the profile, and writes it if there is a file. Throws std::runtime_error if that fails.
  void write() const;

  bool is_shown() const noexcept { return m_is_shown; }  // in the picture

 private:
  std::string m_file;
  bool m_is_shown;
};

}  // namespace app
