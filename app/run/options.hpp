#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <app/run/cluster_place.hpp>

namespace app {

enum class scope_kind { process, processes, cluster };
enum class task_kind { fiber, coroutine, thread, process };
enum class lock_kind { mortise, shared, std, none };

const char* to_string(scope_kind k);
const char* to_string(task_kind k);
const char* to_string(lock_kind k);

// What `mortise run` was asked to do; the defaults are the seed's program.
struct run_options {
  scope_kind scope = scope_kind::process;
  std::uint64_t readers = 100;
  std::uint64_t writers = 10;
  std::uint64_t keys = 5;
  std::uint64_t values = 100;
  std::int64_t sleep_ns = 1'000'000;
  std::int64_t for_ns = 1'000'000'000;
  task_kind tasks = task_kind::fiber;
  lock_kind lock = lock_kind::mortise;
  unsigned workers = 0;
  unsigned processes = 0;          // of scopes processes and cluster
  std::int64_t kill_every_ns = 0;  // 0: none is killed
  std::uint64_t seed = 1;
  bool json = false;
  std::string report;   // a page to write too
  std::string profile;  // of scope process: who made others wait, for pprof, to write too
  std::string trace;    // of scope process: a timeline to write too
  cluster_place cluster;
  std::string metrics;  // of scope cluster: a file for Prometheus to write too

  std::uint64_t parties() const { return readers + writers; }
};

// Something the user wrote cannot be done; what() is one line that names it and says what is allowed, with what
// cannot be printed as \x0a. Exit 2.
class usage_error : public std::runtime_error {
 public:
  explicit usage_error(const std::string& text);
};

// Help or version was asked for; what() is the text. Exit 0.
class answer : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The arguments behind `mortise run`. Throws usage_error, answer.
run_options parse_run(const std::vector<std::string>& arguments);

// Of `known`, the one that `text` was most likely meant to be: one that it begins, else the one with the fewest letters
// changed; empty when none is near.
std::string nearest(const std::string& text, const std::vector<std::string>& known);

}  // namespace app
