#pragma once

// What a bound costs where it is not needed: try_lock_for that succeeds at once, beside lock, of one mutex that nobody
// else wants.
//
//     try_for kind:K iterations:N      {"ns": try_lock_for+unlock, "lock_ns": lock+unlock, "lock_ratio": ...}
//
// Slices of one and of the other take turns, so that both have the same minutes of the same core; medians are
// compared.

#include <bench/workload/uncontended.hpp>

namespace bench {

namespace try_for_detail {

using uncontended_detail::slice;
constexpr std::chrono::seconds long_enough{10};

template <class Mutex>
[[gnu::noinline]] void try_and_unlock(guarded_counter<Mutex>& wanted_by_nobody) {
  for (int i = 0; i < slice; ++i) {
    if (!wanted_by_nobody.mutex.try_lock_for(long_enough)) continue;
    ++wanted_by_nobody.value;
    wanted_by_nobody.mutex.unlock();
  }
}

template <class Kind>
typename Kind::coroutine try_and_unlock_awaiting(guarded_counter<typename Kind::mutex>& wanted_by_nobody,
                                                 std::vector<double>& lock_ns, std::vector<double>& try_ns) {
  using clock = std::chrono::steady_clock;
  for (std::size_t at = 0; at < lock_ns.size(); ++at) {
    const auto begin = clock::now();
    for (int i = 0; i < slice; ++i) {
      auto hold = co_await wanted_by_nobody.mutex.async_lock();
      ++wanted_by_nobody.value;
    }
    const auto between = clock::now();
    for (int i = 0; i < slice; ++i) {
      auto hold = co_await wanted_by_nobody.mutex.async_lock_for(long_enough);
      if (hold.owns_lock()) ++wanted_by_nobody.value;
    }
    lock_ns[at] = std::chrono::duration<double, std::nano>(between - begin).count();
    try_ns[at] = std::chrono::duration<double, std::nano>(clock::now() - between).count();
  }
}

template <class Mutex>
void take_turns(guarded_counter<Mutex>& counter, std::vector<double>& lock_ns, std::vector<double>& try_ns) {
  using clock = std::chrono::steady_clock;
  for (std::size_t at = 0; at < lock_ns.size(); ++at) {
    const auto begin = clock::now();
    uncontended_detail::lock_and_unlock(counter);
    const auto between = clock::now();
    try_and_unlock(counter);
    lock_ns[at] = std::chrono::duration<double, std::nano>(between - begin).count();
    try_ns[at] = std::chrono::duration<double, std::nano>(clock::now() - between).count();
  }
}

}  // namespace try_for_detail

template <class Kind>
void try_for(keys& given, json_line& line) {
  using namespace try_for_detail;
  const std::int64_t iterations = given.number("iterations", 3'000'000, 2 * slice, 10'000'000'000);
  given.no_others();

  guarded_counter<typename Kind::mutex> counter;
  std::vector<double> lock_ns(static_cast<std::size_t>(iterations / slice / 2)), try_ns(lock_ns.size());
  uncontended_detail::another_thread alive;
  Kind::run(
      1, 1,
      [&](unsigned) {
        if constexpr (Kind::awaits) {
          return try_and_unlock_awaiting<Kind>(counter, lock_ns, try_ns);
        } else {
          take_turns(counter, lock_ns, try_ns);
        }
      },
      [] {});
  if (counter.value != 2 * lock_ns.size() * slice) throw std::runtime_error("the counter does not add up");
  const double lock = uncontended_detail::median(lock_ns);
  uncontended_detail::add_slices(line, try_ns);
  line.add("lock_ns", lock / slice).add("lock_ratio", uncontended_detail::median(try_ns) / lock);
}

}  // namespace bench
