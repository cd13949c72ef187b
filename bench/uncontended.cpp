// Lock and unlock of a mutex that nobody else wants, ours beside its peers in one paired run.
//
//     uncontended [repetitions [iterations]]      one JSON line a contender
//
// Every repetition measures each contender once, beginning with the next one each time, so that a change of
// clock speed falls on all of them. A second thread is alive throughout: in a process with one thread glibc's
// std::mutex leaves out its atomic operations, which is not the case that anybody uses a mutex for.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <mortise/lock/mutex.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/task_scope.hpp>

#include "arguments.hpp"
#include "json_line.hpp"

#if MORTISE_BENCH_BOOST_FIBER
#include <boost/fiber/mutex.hpp>
#endif

namespace {

template <class Mutex>
struct alignas(64) contended_by_nobody {
  Mutex mutex;
  std::uint64_t counter = 0;
};

template <class Mutex>
[[gnu::noinline]] double lock_unlock_ns(contended_by_nobody<Mutex>& cell, int iterations) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < iterations; ++i) {
    cell.mutex.lock();
    ++cell.counter;
    cell.mutex.unlock();
  }
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
  return took.count() / iterations;
}

// Alive until the end of the program, and asleep.
class bystander {
 public:
  bystander() : m_thread([this] { std::lock_guard wait{m_end}; }) {}
  ~bystander() {
    m_hold.unlock();
    m_thread.join();
  }

 private:
  std::mutex m_end;
  std::unique_lock<std::mutex> m_hold{m_end};
  std::thread m_thread;
};

struct contender {
  std::string bench;
  std::function<double(int)> run;
  const std::uint64_t* counter;
  std::vector<double> ns = {};
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

int measure(int repetitions, int iterations) {
  const bystander second_thread;
  mortise::runtime runtime{mortise::runtime_options{.workers = 1}};

  contended_by_nobody<std::mutex> std_thread;
  contended_by_nobody<mortise::mutex> our_thread;
  contended_by_nobody<mortise::mutex> our_fiber;
  std::vector<contender> contenders{
      {"uncontended/std/kind:thread", [&](int n) { return lock_unlock_ns(std_thread, n); },
       &std_thread.counter},
      {"uncontended/mortise/kind:thread", [&](int n) { return lock_unlock_ns(our_thread, n); },
       &our_thread.counter},
      {"uncontended/mortise/kind:fiber",
       [&](int n) {
         double ns = 0;
         mortise::task_scope scope{runtime};
         scope.go([&] { ns = lock_unlock_ns(our_fiber, n); });
         scope.join();
         return ns;
       },
       &our_fiber.counter},
  };
#if MORTISE_BENCH_BOOST_FIBER
  contended_by_nobody<boost::fibers::mutex> boost_fiber;
  contenders.push_back({"uncontended/boost_fiber/kind:fiber",
                        [&](int n) { return lock_unlock_ns(boost_fiber, n); }, &boost_fiber.counter});
#else
  bench::json_line{"uncontended/boost_fiber/kind:fiber"}.add("skipped", "Boost.Fiber not found").print();
#endif

  for (contender& each : contenders)
    each.run(iterations / 10 + 1);  // warm: pages, branch history, clock speed
  for (int r = 0; r < repetitions; ++r) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      contender& each = contenders[(i + static_cast<std::size_t>(r)) % contenders.size()];
      each.ns.push_back(each.run(iterations));
    }
  }

  const std::uint64_t expected =
      static_cast<std::uint64_t>(repetitions) * static_cast<std::uint64_t>(iterations) +
      static_cast<std::uint64_t>(iterations / 10 + 1);
  const double reference = median(contenders.front().ns);
  for (const contender& each : contenders) {
    if (*each.counter != expected) throw std::runtime_error(each.bench + ": the counter does not add up");
    const auto [least, most] = std::minmax_element(each.ns.begin(), each.ns.end());
    bench::json_line{each.bench}
        .add("ns", median(each.ns))
        .add("min_ns", *least)
        .add("max_ns", *most)
        .add("ratio_to_std", median(each.ns) / reference)
        .add("iterations", iterations)
        .add("repetitions", repetitions)
        .print();
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int repetitions = bench::number(argc, argv, 1, "repetitions", 9, 5, 1'000);
  const int iterations = bench::number(argc, argv, 2, "iterations", 3'000'000, 1'000, 1'000'000'000);
  return bench::guarded_main([&] { return measure(repetitions, iterations); });
}
