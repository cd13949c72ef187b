#pragma once

// What the workloads about one process and a lock that others could want have in common: in one process, in turns with
// pthread's robust mutex, so that both have the same minutes of the same core.
//
//     ... kind:K iterations:N      {"ns": ours, "robust_ns": pthread's, "robust_ratio": ...}
//
// Slices of some ten microseconds; medians are compared. pthread's own is measured beside itself as well: how far its
// ratio is from 1, so far can the others be wrong.

#include <chrono>
#include <cstdint>
#include <vector>

#include <bench/harness/json_line.hpp>
#include <bench/workload/uncontended.hpp>

namespace bench {

namespace processes_turns_detail {

constexpr int slice = 2'000;

template <class Once>
[[gnu::noinline]] double slice_ns(Once& once) {
  once();  // nobody's cache is cold, and whoever lent the lock to somebody has it again
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < slice; ++i) once();
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace processes_turns_detail

// Calls each of the two about `iterations` times, and returns how often exactly.
template <class Kind, class Ours, class Robust>
std::uint64_t take_turns_with_robust(std::int64_t iterations, json_line& line, Ours ours, Robust robust) {
  using namespace processes_turns_detail;
  const std::size_t slices = static_cast<std::size_t>(iterations / slice);
  std::vector<double> ns(slices), robust_ns(slices);
  uncontended_detail::another_thread alive;
  Kind::run(
      1, 1,
      [&](unsigned) {
        for (std::size_t i = 0; i < slices; ++i) {
          ns[i] = slice_ns(ours);
          robust_ns[i] = slice_ns(robust);
        }
      },
      [] {});
  const double own = uncontended_detail::median(ns), theirs = uncontended_detail::median(robust_ns);
  line.add("ns", own / slice).add("robust_ns", theirs / slice).add("robust_ratio", own / theirs);
  line.add("iterations", slices * slice);
  return slices * (slice + 1);
}

}  // namespace bench
