#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>

#include <app/run/options.hpp>
#include <app/run/progress.hpp>
#include <app/run/workload.hpp>

namespace app {

// What a run shows to who measures it.
struct gauges {
  std::function<std::uint64_t()> read_ops, write_ops;  // since ever
  std::function<std::int64_t()> cpu_ns;
  turns& turns_of;
  // Does what is due at this moment, and tells when something is due next. None: nothing ever is.
  std::function<std::chrono::steady_clock::time_point(std::chrono::steady_clock::time_point)> tend{};
};

// From now until the time of the options is over or a signal comes: the counts, the clock, and what a report wants to know.
void measure(const run_options& options, const gauges& of, progress& shown, run_result& r);

// The processor time that a process has used, this one with 0; 0 if it is no more.
std::int64_t cpu_ns_of(pid_t process);

}  // namespace app
