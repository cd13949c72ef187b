#pragma once

// What a task takes in memory while it sleeps.
//
//     footprint kind:K tasks:N      resident bytes of one, and page tables, which RSS leaves out

#include <cstdlib>

#include <bench/harness/json_line.hpp>
#include <bench/harness/keys.hpp>
#include <bench/harness/process.hpp>
#include <bench/workload/parties.hpp>

namespace bench {

template <class Kind>
typename Kind::coroutine asleep_for_an_hour(std::atomic<unsigned>& started) {
  started.fetch_add(1, std::memory_order_relaxed);
  co_await Kind::async_sleep_for(std::chrono::hours(1));
}

// RSS once all are asleep, minus RSS before there was a runtime, divided by their count: at 100,000 tasks the
// runtime itself is less than 10 bytes of it.
template <class Kind>
void footprint(keys& given, json_line& line) {
  const unsigned tasks = given.count("tasks", 1'000'000, 1'000, 100'000'000);
  given.no_others();
  std::atomic<unsigned> started{0};
  const memory before = read_memory();
  const auto begin = steady::now();
  Kind::run(
      tasks, usable_cores(),
      [&started](unsigned) {
        if constexpr (Kind::awaits) {
          return asleep_for_an_hour<Kind>(started);
        } else {
          started.fetch_add(1, std::memory_order_relaxed);
          Kind::sleep_for(std::chrono::hours(1));
        }
      },
      [&] {
        while (started.load(std::memory_order_relaxed) < tasks)
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        const std::int64_t start_ns = since(begin);
        settle();
        const memory after = read_memory();
        const auto per_task = [&](std::int64_t bytes) { return static_cast<double>(bytes) / tasks; };
        line.add("bytes_per_task", per_task(after.resident - before.resident))
            .add("page_table_bytes_per_task", per_task(after.page_tables - before.page_tables))
            .add("rss_bytes", after.resident)
            .add("start_ns", start_ns)
            .print();
        std::_Exit(0);  // nobody waits an hour for the sleepers
      });
}

}  // namespace bench
