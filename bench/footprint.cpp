// Resident bytes of a sleeping task: RSS once all are asleep, minus RSS before the first, divided by their count.
//
//     footprint fiber|coroutine [tasks]      one JSON line
//
// Page tables (VmPTE) are shown beside: RSS leaves them out.

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>

#include <mortise/task/go.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task.hpp>

#include "arguments.hpp"
#include "harness/json_line.hpp"
#include "harness/process.hpp"

namespace {

using namespace std::chrono_literals;

[[noreturn]] void measure(bool fibers, int tasks) {
  // Started but idle, so that what the runtime itself takes is not charged to the tasks. Never destroyed: it
  // would wait for the sleepers.
  auto& runtime = *new mortise::runtime;
  std::atomic<int> started{0};

  const bench::memory before = bench::read_memory();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < tasks; ++i) {
    if (fibers) {
      mortise::go(runtime, [&started] {
        started.fetch_add(1, std::memory_order_relaxed);
        mortise::sleep_for(1h);
      });
    } else {
      mortise::go(runtime, [&started]() -> mortise::task<> {
        started.fetch_add(1, std::memory_order_relaxed);
        co_await mortise::async_sleep_for(1h);
      });
    }
  }
  while (started.load(std::memory_order_relaxed) < tasks) std::this_thread::sleep_for(1ms);
  const auto start = std::chrono::steady_clock::now() - begin;
  bench::settle();

  const bench::memory after = bench::read_memory();
  const auto per_task = [&](std::int64_t bytes) { return static_cast<double>(bytes) / tasks; };
  const std::string kind = fibers ? "fiber" : "coroutine";
  bench::json_line{"footprint/mortise/kind:" + kind + "/tasks:" + std::to_string(tasks)}
      .add("tasks", tasks)
      .add("bytes_per_task", per_task(after.resident - before.resident))
      .add("page_table_bytes_per_task", per_task(after.page_tables - before.page_tables))
      .add("rss_bytes", after.resident)
      .add("start_ns", start / 1ns)
      .add("workers", runtime.workers())
      .print();
  std::_Exit(0);  // nobody waits an hour for the sleepers
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view kind = argc > 1 ? argv[1] : "";
  if (kind != "fiber" && kind != "coroutine") {
    std::fprintf(stderr, "kind: '%s' is neither fiber nor coroutine\n", argc > 1 ? argv[1] : "");
    return 2;
  }
  const int tasks = bench::number(argc, argv, 2, "tasks", 1'000'000, 1, 100'000'000);
  return bench::guarded_main([&]() -> int { measure(kind == "fiber", tasks); });
}
