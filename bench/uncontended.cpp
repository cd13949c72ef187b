// Lock and unlock of a mutex that nobody else wants, ours beside its peers in one paired run.
//
//     uncontended [repetitions [iterations]]      one JSON line a contender
//
// The same loop runs in two places: on the main thread, and in a fiber on a worker. In each place std::mutex
// and ours take turns in slices of a millisecond or less, so that what the core does meanwhile falls on both;
// a fiber's ratio is taken against std::mutex in that fiber, since two cores of a shared machine differ by
// more than two mutexes do. A second thread is alive throughout: in a process with one thread glibc's
// std::mutex leaves out its atomic operations, which is not the case that anybody uses a mutex for.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include <mortise/lock/mutex.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/task_scope.hpp>

#include "arguments.hpp"
#include "harness/json_line.hpp"

#if MORTISE_BENCH_BOOST_FIBER
#include <boost/fiber/mutex.hpp>
#endif

namespace {

constexpr int slice = 50'000;

template <class Mutex>
struct alignas(64) cell {
  Mutex mutex;
  std::uint64_t counter = 0;
};

// std::mutex once more under another name, so that its loop is compiled once more: how far its ratio is from
// 1 is how far this benchmark can be wrong about two equal mutexes.
struct control : std::mutex {};

// Nanoseconds for one slice.
template <class Mutex>
[[gnu::noinline]] double lock_and_unlock(cell<Mutex>& wanted_by_nobody) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < slice; ++i) {
    wanted_by_nobody.mutex.lock();
    ++wanted_by_nobody.counter;
    wanted_by_nobody.mutex.unlock();
  }
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
}

struct contender {
  std::string bench;
  std::function<double()> run;
  std::function<std::uint64_t()> counted;
  std::vector<double> ns = {};  // one a repetition
};

template <class Mutex>
contender contending(const char* who, const char* kind) {
  auto own = std::make_shared<cell<Mutex>>();
  return {std::string{"uncontended/"} + who + "/kind:" + kind, [own] { return lock_and_unlock(*own); },
          [own] { return own->counter; }};
}

// One repetition in one place: slices in turn.
void repeat(std::vector<contender>& contenders, int slices) {
  std::vector<double> total(contenders.size());
  for (int s = 0; s < slices; ++s) {
    for (std::size_t turn = 0; turn < contenders.size(); ++turn) {
      const std::size_t i = (turn + static_cast<std::size_t>(s)) % contenders.size();
      total[i] += contenders[i].run();
    }
  }
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    contenders[i].ns.push_back(total[i] / (static_cast<double>(slices) * slice));
  }
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// The first contender of a place is what the others are compared with.
void report(const std::vector<contender>& contenders, int repetitions, int slices) {
  const auto expected =
      std::uint64_t{slice} * static_cast<unsigned>(slices) * static_cast<unsigned>(repetitions);
  for (const contender& each : contenders) {
    if (each.counted() != expected) throw std::runtime_error(each.bench + ": the counter does not add up");
    const auto [least, most] = std::minmax_element(each.ns.begin(), each.ns.end());
    bench::json_line{each.bench}
        .add("ns", median(each.ns))
        .add("min_ns", *least)
        .add("max_ns", *most)
        .add("ratio_to_std", median(each.ns) / median(contenders.front().ns))
        .add("iterations", slices * slice)
        .add("repetitions", repetitions)
        .print();
  }
}

int measure(int repetitions, int slices) {
  mortise::runtime_options options;
  options.workers = 1;
  mortise::runtime runtime{options};  // its worker is the second thread

  std::vector<contender> on_thread{contending<std::mutex>("std", "thread"),
                                   contending<mortise::mutex>("mortise", "thread"),
                                   contending<control>("control", "thread")};
  std::vector<contender> in_fiber{contending<std::mutex>("std", "fiber"),
                                  contending<mortise::mutex>("mortise", "fiber"),
                                  contending<control>("control", "fiber")};
#if MORTISE_BENCH_BOOST_FIBER
  on_thread.push_back(contending<boost::fibers::mutex>("boost_fiber", "fiber"));
#else
  bench::json_line{"uncontended/boost_fiber/kind:fiber"}.add("skipped", "Boost.Fiber not found").print();
#endif

  for (int r = 0; r < repetitions; ++r) {
    repeat(on_thread, slices);
    mortise::task_scope scope{runtime};
    scope.go([&] { repeat(in_fiber, slices); });
    scope.join();
  }
  report(on_thread, repetitions, slices);
  report(in_fiber, repetitions, slices);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int repetitions = bench::number(argc, argv, 1, "repetitions", 9, 5, 1'000);
  const int iterations = bench::number(argc, argv, 2, "iterations", 3'000'000, slice, 1'000'000'000);
  return bench::guarded_main([&] { return measure(repetitions, iterations / slice); });
}
