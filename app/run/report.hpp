#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <app/run/workload.hpp>

namespace app {

// The seed's three lines.
std::string three_lines(const run_result& result);

// One JSON object, schema mortise.run/1.
std::string as_json(const run_options& options, const run_result& result);

// The same with the detail of the run, for the page of --report. Requires: the result has detail.
std::string page_data(const run_options& options, const run_result& result);

// "109,593 of 110,000 possible in 1.00 s, 8 % of a core, lock wait p99 2 us, overlaps 0"
std::string summary_line(const run_options& options, const run_result& result);

// The command to hold the result against.
std::string compare_with(const run_options& options);

// How many operations a second there can be at most: each task one per sleep. Nothing when they do not sleep.
std::optional<double> limit_ops_per_s(const run_options& options);

std::string with_thousands(std::uint64_t n);

}  // namespace app
