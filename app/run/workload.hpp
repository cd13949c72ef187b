#pragma once

#include <cstdint>
#include <map>

#include <app/run/histogram.hpp>
#include <app/run/options.hpp>

namespace app {

// What a run came to.
struct run_result {
  unsigned workers = 0;
  std::int64_t duration_ns = 0;  // measured, from when all tasks had been started
  int interrupted_by = 0;        // the signal, or 0
  std::uint64_t read_ops = 0;    // within the duration
  std::uint64_t write_ops = 0;
  std::uint64_t overlaps = 0;
  std::uint64_t map_mismatches = 0;
  std::int64_t cpu_ns = 0;  // of the process, within the duration
  std::int64_t rss_peak_bytes = 0;
  std::map<std::uint64_t, std::uint64_t> state;
  histogram::summary wait{};      // from asking for the lock to having it
  histogram::summary lateness{};  // of the ends of sleeps

  std::uint64_t ops() const { return read_ops + write_ops; }
  bool sound() const { return overlaps == 0 && map_mismatches == 0; }
};

// Runs the seed's program. Throws std::system_error when tasks cannot be had.
run_result run(const run_options& options);

}  // namespace app
