#pragma once

// Lock and unlock of a mutex that nobody else wants.
//
//     uncontended kind:K iterations:N      {"ns": a lock+unlock, "mean_ns": ...}
//
// Another thread is alive throughout: in a process with one thread glibc's std::mutex leaves out its atomic
// operations, which is not the case that anybody uses a mutex for. The mutex and what it guards share a cache line.
// Measured in slices of some hundred microseconds; `ns` is the median slice, in which a core that was taken
// away for a while does not show, mean_ns the mean.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include <bench/harness/json_line.hpp>
#include <bench/harness/keys.hpp>

namespace bench {

template <class Mutex>
struct alignas(64) guarded_counter {
  Mutex mutex;
  std::uint64_t value = 0;
};

namespace uncontended_detail {

constexpr int slice = 20'000;

template <class Mutex>
[[gnu::noinline]] void lock_and_unlock(guarded_counter<Mutex>& wanted_by_nobody) {
  for (int i = 0; i < slice; ++i) {
    wanted_by_nobody.mutex.lock();
    ++wanted_by_nobody.value;
    wanted_by_nobody.mutex.unlock();
  }
}

template <class Kind>
typename Kind::coroutine lock_and_unlock_awaiting(guarded_counter<typename Kind::mutex>& wanted_by_nobody,
                                                  std::vector<double>& ns) {
  for (double& took : ns) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < slice; ++i) {
      auto hold = co_await wanted_by_nobody.mutex.async_lock();
      ++wanted_by_nobody.value;
    }
    took = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
  }
}

inline double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// `ns`: of a slice each.
inline void add_slices(json_line& line, std::vector<double>& ns) {
  double sum = 0;
  for (const double took : ns) sum += took;
  line.add("ns", median(ns) / slice)
      .add("mean_ns", sum / (static_cast<double>(ns.size()) * slice))
      .add("iterations", ns.size() * slice);
}

class another_thread {
 public:
  ~another_thread() {
    {
      const std::lock_guard hold{m_mutex};
      m_over = true;
    }
    m_changed.notify_one();
    m_thread.join();
  }

 private:
  std::mutex m_mutex;
  std::condition_variable m_changed;
  bool m_over = false;
  std::thread m_thread{[this] {
    std::unique_lock hold{m_mutex};
    m_changed.wait(hold, [this] { return m_over; });
  }};
};

}  // namespace uncontended_detail

template <class Kind>
void uncontended(keys& given, json_line& line) {
  using namespace uncontended_detail;
  const std::int64_t iterations = given.number("iterations", 3'000'000, slice, 10'000'000'000);
  given.no_others();

  guarded_counter<typename Kind::mutex> counter;
  std::vector<double> ns(static_cast<std::size_t>(iterations / slice));
  another_thread alive;
  Kind::run(
      1, 1,
      [&](unsigned) {
        if constexpr (Kind::awaits) {
          return lock_and_unlock_awaiting<Kind>(counter, ns);
        } else {
          for (double& took : ns) {
            const auto begin = std::chrono::steady_clock::now();
            lock_and_unlock(counter);
            took = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
          }
        }
      },
      [] {});
  if (counter.value != ns.size() * slice) throw std::runtime_error("the counter does not add up");
  add_slices(line, ns);
}

}  // namespace bench
