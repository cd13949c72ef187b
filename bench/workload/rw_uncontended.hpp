#pragma once

// Read lock and unlock of a lock that nobody else wants.
//
//     rw_uncontended kind:K iterations:N      {"ns": a read lock+unlock, "mean_ns": ...}
//
// As `uncontended`: another thread is alive, lock and value share a cache line, `ns` is the median slice. Each
// section reads the value, and what was read must add up.

#include <bench/workload/uncontended.hpp>

namespace bench {

namespace rw_uncontended_detail {

using uncontended_detail::slice;
constexpr std::uint64_t written = 3;

template <class Mutex>
[[gnu::noinline]] void read_in_turn(guarded_counter<Mutex>& written_by_nobody, std::uint64_t& sum) {
  for (int i = 0; i < slice; ++i) {
    written_by_nobody.mutex.lock_shared();
    sum += written_by_nobody.value;
    written_by_nobody.mutex.unlock_shared();
  }
}

template <class Kind>
typename Kind::coroutine read_awaiting(guarded_counter<typename Kind::mutex>& written_by_nobody,
                                       std::uint64_t& sum, std::vector<double>& ns) {
  for (double& took : ns) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < slice; ++i) {
      auto hold = co_await written_by_nobody.mutex.async_lock_shared();
      sum += written_by_nobody.value;
    }
    took = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
  }
}

}  // namespace rw_uncontended_detail

template <class Kind>
void rw_uncontended(keys& given, json_line& line) {
  using namespace rw_uncontended_detail;
  const std::int64_t iterations = given.number("iterations", 3'000'000, slice, 10'000'000'000);
  given.no_others();

  guarded_counter<typename Kind::mutex> counter;
  counter.value = written;
  std::vector<double> ns(static_cast<std::size_t>(iterations / slice));
  std::uint64_t sum = 0;
  uncontended_detail::another_thread alive;
  Kind::run(
      1, 1,
      [&](unsigned) {
        if constexpr (Kind::awaits) {
          return read_awaiting<Kind>(counter, sum, ns);
        } else {
          for (double& took : ns) {
            const auto begin = std::chrono::steady_clock::now();
            read_in_turn(counter, sum);
            took = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
          }
        }
      },
      [] {});
  if (sum != ns.size() * slice * written) throw std::runtime_error("what was read does not add up");
  uncontended_detail::add_slices(line, ns);
}

}  // namespace bench
