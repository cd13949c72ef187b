#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <vector>

#include <app/run/histogram.hpp>
#include <app/run/options.hpp>
#include <app/run/turns.hpp>
#include <mortise/cluster/numbers.hpp>
#include <mortise/insight/profile.hpp>

namespace app {

// What a picture of a run is drawn from; kept if there is to be one.
struct run_detail {
  struct moment {
    std::int64_t ns;    // since the beginning
    std::uint64_t ops;  // until then
  };
  std::vector<moment> throughput;  // at the beginning, in between, at the end
  std::vector<bucket> wait, lateness;
  turn_distribution turns;
  std::optional<std::vector<mortise::insight::profile::place>>
      profile{};  // within one process, where it sees the lock
};

// At cluster scope, of all processes.
struct cluster_counts {
  std::uint64_t lost = 0, unknown = 0;  // updates of tasks that were told so
  mortise::cluster::numbers lock;
  mortise::cluster::lease_numbers lease;  // age: the greatest; good_for: the least
};

// What a run came to.
struct run_result {
  unsigned workers = 0;          // OS threads for fibers and coroutines; among processes, of each
  std::int64_t duration_ns = 0;  // measured, from when all tasks had been started
  int interrupted_by = 0;        // the signal, or 0
  std::uint64_t read_ops = 0;    // within the duration
  std::uint64_t write_ops = 0;
  std::uint64_t overlaps = 0;
  std::uint64_t map_mismatches = 0;
  std::uint64_t torn = 0;           // among processes: values that nobody had written whole
  std::uint64_t kills = 0;          // of processes
  std::int64_t cpu_ns = 0;          // of the process or processes, within the duration
  std::int64_t rss_peak_bytes = 0;  // of several, the sum
  std::map<std::uint64_t, std::uint64_t> state;
  histogram::summary wait{};      // from asking for the lock to having it
  histogram::summary lateness{};  // of the ends of sleeps
  std::optional<run_detail> detail{};
  std::optional<cluster_counts> cluster{};

  std::uint64_t ops() const { return read_ops + write_ops; }
  bool sound() const { return overlaps == 0 && map_mismatches == 0 && torn == 0; }
};

// A task or a process cannot be had, or not kept: what() says which one, of how many, and why. Those that run have been ended.
// Exit 1.
class start_error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Runs the seed's program. Throws start_error; std::system_error when there is not even a runtime.
run_result run(const run_options& options);

}  // namespace app
