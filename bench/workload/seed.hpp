#pragma once

// The seed's program on other runtimes than ours, which has `mortise run` for it: readers and writers share a map behind
// one mutex, each sleeps 1 ms between its turns.
//
//     seed kind:K readers:R writers:W workers:N for_ms:T
//
// As in the peers in other languages a section does not check that it is alone; a plain count in it must add up. The clock
// starts when every party is in its loop.

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>

#include <bench/harness/durations.hpp>
#include <bench/harness/json_line.hpp>
#include <bench/harness/keys.hpp>
#include <bench/harness/process.hpp>
#include <bench/workload/parties.hpp>

namespace bench {

// One that all parties record into, now and then.
struct shared_durations {
  std::mutex guard;
  durations all;
  void record(std::int64_t ns) {
    const std::lock_guard hold{guard};
    all.record(ns);
  }
};

inline void add_lateness(json_line& line, const durations& late) {
  line.add("lateness_p50_ns", late.quantile(0.5))
      .add("lateness_p99_ns", late.quantile(0.99))
      .add("lateness_max_ns", late.longest());
}

template <class Mutex>
struct seed_state {
  Mutex mutex;
  std::map<int, int> map;      // guarded
  std::uint64_t sections = 0;  // guarded

  alignas(128) std::atomic<std::uint64_t> read_ops{0};
  alignas(128) std::atomic<std::uint64_t> write_ops{0};
  window time;
  shared_durations lateness;

  std::uint64_t ops() const {
    return read_ops.load(std::memory_order_relaxed) + write_ops.load(std::memory_order_relaxed);
  }
};

constexpr std::chrono::milliseconds seed_pause{1};

template <class Kind, class Mutex>
void seed_party(seed_state<Mutex>& s, std::uint64_t me, bool reads) {
  std::uint64_t random = me * 0x9E3779B97F4A7C15U | 1;
  const auto draw = [&random](std::uint64_t below) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return static_cast<int>((random >> 33) * below >> 31);
  };
  int total = 0;
  s.time.arrived.fetch_add(1, std::memory_order_release);
  for (std::uint64_t turn = me; !s.time.is_closed(); ++turn) {
    const int key = draw(5);
    {
      const std::lock_guard hold{s.mutex};
      if (reads) {
        const auto found = s.map.find(key);
        total += found == s.map.end() ? 0 : found->second;
      } else {
        s.map[key] = draw(100);
      }
      ++s.sections;
    }
    (reads ? s.read_ops : s.write_ops).fetch_add(1, std::memory_order_relaxed);
    if (turn % 64 == 0 && s.time.is_open()) {
      const auto due = steady::now() + seed_pause;
      Kind::sleep_for(seed_pause);
      s.lateness.record(since(due));
    } else {
      Kind::sleep_for(seed_pause);
    }
  }
  asm volatile("" ::"r"(total));
}

template <class Kind>
void seed(keys& given, json_line& line) {
  const unsigned readers = given.count("readers", 100, 0, 10'000'000);
  const unsigned writers = given.count("writers", 10, 0, 10'000'000);
  const unsigned workers = given.count("workers", usable_cores(), 1, 1'024);
  const std::int64_t for_ms = given.number("for_ms", 1'000, 1, 3'600'000);
  given.no_others();
  if (readers + writers == 0) throw usage_error("readers: 0 and writers: 0 leave nobody");
  if (Kind::is_thread && readers + writers > 32'000)
    throw usage_error("readers and writers: more than 32000 threads are not to be had");

  seed_state<typename Kind::mutex> s;
  std::uint64_t ops = 0;
  std::int64_t duration = 0, cpu = 0;
  Kind::run(
      readers + writers, workers, [&](unsigned me) { seed_party<Kind>(s, me, me < readers); },
      [&] {
        while (s.time.arrived.load(std::memory_order_acquire) != readers + writers)
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        s.time.open.store(true, std::memory_order_release);
        const auto begin = steady::now();
        const std::uint64_t before = s.ops();
        cpu = -cpu_ns();
        std::this_thread::sleep_until(begin + std::chrono::milliseconds(for_ms));
        ops = s.ops() - before;
        duration = since(begin);
        cpu += cpu_ns();
        s.time.closed.store(true, std::memory_order_relaxed);
      });
  if (s.sections != s.ops()) throw std::runtime_error("the sections do not add up");
  line.add("ops", ops)
      .add("duration_ns", duration)
      .add("ops_per_s", static_cast<double>(ops) * 1e9 / static_cast<double>(duration))
      .add("cpu_ns", cpu)
      .add("rss_peak_bytes", rss_peak_bytes());
  add_lateness(line, s.lateness.all);
}

}  // namespace bench
