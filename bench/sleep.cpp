// How late a 1 ms sleep ends on an idle machine: a fiber, a coroutine, a thread that sleeps with us, and with
// std.
//
//     sleep [samples]      one JSON line a contender; exit 1 if any sleep ended early, even by a nanosecond
//
// One sleeper at a time. The contenders take turns in blocks of samples, so that a noisy minute falls on all
// of them.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <mortise/task/runtime.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task.hpp>
#include <mortise/task/task_scope.hpp>

#include "arguments.hpp"
#include "harness/json_line.hpp"
#include "harness/process.hpp"

namespace {

using clock_type = std::chrono::steady_clock;
constexpr std::chrono::milliseconds nap{1};
constexpr int block = 50;

// The samples of one contender, and what they cost.
struct lateness {
  std::vector<std::int64_t> ns;
  std::int64_t cpu_ns = 0;
  std::int64_t duration_ns = 0;

  void add(clock_type::time_point begin) {
    ns.push_back((clock_type::now() - begin - nap) / std::chrono::nanoseconds(1));
  }
};

struct contender {
  std::string bench;
  std::function<void(lateness&, int)> run;
  lateness samples = {};
};

void fiber(mortise::runtime& runtime, lateness& samples, int count) {
  mortise::task_scope scope{runtime};
  scope.go([&samples, count] {
    for (int i = 0; i < count; ++i) {
      const auto begin = clock_type::now();
      mortise::sleep_for(nap);
      samples.add(begin);
    }
  });
  scope.join();
}

void coroutine(mortise::runtime& runtime, lateness& samples, int count) {
  mortise::task_scope scope{runtime};
  scope.go([&samples, count]() -> mortise::task<> {
    for (int i = 0; i < count; ++i) {
      const auto begin = clock_type::now();
      co_await mortise::async_sleep_for(nap);
      samples.add(begin);
    }
  });
  scope.join();
}

template <class Sleep>
void thread(Sleep sleep, lateness& samples, int count) {
  for (int i = 0; i < count; ++i) {
    const auto begin = clock_type::now();
    sleep();
    samples.add(begin);
  }
}

// The smallest value that at least `share` of the sorted values do not exceed.
std::int64_t quantile(const std::vector<std::int64_t>& sorted, double share) {
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[std::max<std::size_t>(static_cast<std::size_t>(rank), 1) - 1];
}

// Prints one line; how many sleeps ended early.
std::int64_t report(contender& each) {
  std::vector<std::int64_t>& ns = each.samples.ns;
  std::sort(ns.begin(), ns.end());
  const std::int64_t early = std::lower_bound(ns.begin(), ns.end(), 0) - ns.begin();
  bench::json_line{each.bench}
      .add("sleep_ns", nap / std::chrono::nanoseconds(1))
      .add("samples", ns.size())
      .add("early", early)
      .add("min_ns", ns.front())
      .add("p50_ns", quantile(ns, 0.5))
      .add("p99_ns", quantile(ns, 0.99))
      .add("max_ns", ns.back())
      .add("cpu_ns", each.samples.cpu_ns)
      .add("duration_ns", each.samples.duration_ns)
      .print();
  if (early != 0) {
    std::fprintf(stderr, "error: %s: %lld sleeps ended early, one by %lld ns\n", each.bench.c_str(),
                 static_cast<long long>(early), -static_cast<long long>(ns.front()));
  }
  return early;
}

int measure(int samples) {
  mortise::runtime_options options;
  options.workers = 1;
  mortise::runtime runtime{options};
  std::vector<contender> contenders{
      {"sleep/mortise/kind:fiber", [&](lateness& s, int n) { fiber(runtime, s, n); }},
      {"sleep/mortise/kind:coroutine", [&](lateness& s, int n) { coroutine(runtime, s, n); }},
      {"sleep/mortise/kind:thread",
       [](lateness& s, int n) { thread([] { mortise::sleep_for(nap); }, s, n); }},
      {"sleep/std/kind:thread",
       [](lateness& s, int n) { thread([] { std::this_thread::sleep_for(nap); }, s, n); }},
  };
  for (int done = 0; done < samples; done += block) {
    for (contender& each : contenders) {
      const std::int64_t cpu_before = bench::cpu_ns();
      const auto begin = clock_type::now();
      each.run(each.samples, std::min(block, samples - done));
      each.samples.duration_ns += (clock_type::now() - begin) / std::chrono::nanoseconds(1);
      each.samples.cpu_ns += bench::cpu_ns() - cpu_before;
    }
  }
  std::int64_t early = 0;
  for (contender& each : contenders) early += report(each);
  return early == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const int samples = bench::number(argc, argv, 1, "samples", 1'000, 1, 1'000'000);
  return bench::guarded_main([&] { return measure(samples); });
}
