#pragma once

// A command under a lock of the command line, from its start until it has ended: `mortise lock NAME -- true` beside
// `flock FILE true`, and `true` without any lock.
//
//     processes_command samples:N command:FILE      {"ns": ours, "flock_ns": ..., "flock_ratio": ..., "bare_ns": ...}
//
// They take turns, and medians are compared. Nobody else wants the lock. The file and the region are in a new folder.

#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <bench/harness/json_line.hpp>
#include <bench/harness/keys.hpp>
#include <bench/workload/uncontended.hpp>

extern char** environ;

namespace bench {

namespace processes_command_detail {

class folder {
 public:
  folder() {
    if (::mkdtemp(m_name.data()) == nullptr)
      throw std::system_error(errno, std::generic_category(), "mkdtemp");
  }
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(m_name, ignored);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  const std::string& name() const { return m_name; }

 private:
  std::string m_name = (std::filesystem::temp_directory_path() / "mortise-bench-XXXXXX").string();
};

// How long it took; throws if it did not end well.
inline double run_ns(const std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (const std::string& w : words) argv.push_back(const_cast<char*>(w.c_str()));
  argv.push_back(nullptr);
  const auto begin = std::chrono::steady_clock::now();
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, argv[0], nullptr, nullptr, argv.data(), environ);
  if (error != 0) throw std::system_error(error, std::generic_category(), words[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  if (status != 0) throw std::runtime_error(words[0] + " ended with status " + std::to_string(status));
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace processes_command_detail

inline void processes_command(keys& given, json_line& line) {
  using namespace processes_command_detail;
  const unsigned samples = given.count("samples", 100, 1, 1'000'000);
  const std::string command = given.word("command", "mortise");
  given.no_others();

  const folder place;
  ::setenv("MORTISE_RUNTIME_DIR", place.name().c_str(), 1);
  const std::vector<std::string> ours{command, "lock", "bench", "--", "true"},
      theirs{"flock", place.name() + "/file", "true"}, bare{"true"};
  try {
    run_ns(theirs);
  } catch (const std::system_error& e) {
    if (e.code() != std::errc::no_such_file_or_directory) throw;
    line.add("skipped", "flock(1) is not installed");
    return;
  }
  run_ns(ours);  // makes the region
  std::vector<double> ns, flock_ns, bare_ns;
  for (unsigned i = 0; i < samples; ++i) {
    ns.push_back(run_ns(ours));
    flock_ns.push_back(run_ns(theirs));
    bare_ns.push_back(run_ns(bare));
  }
  const double own = uncontended_detail::median(ns), flock = uncontended_detail::median(flock_ns);
  line.add("samples", samples)
      .add("ns", own)
      .add("flock_ns", flock)
      .add("flock_ratio", own / flock)
      .add("bare_ns", uncontended_detail::median(bare_ns));
}

}  // namespace bench
