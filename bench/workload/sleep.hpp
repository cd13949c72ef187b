#pragma once

// How late a 1 ms sleep ends on an idle machine, one sleeper at a time; and what many timers cost.
//
//     sleep kind:K samples:N            fails if any sleep ended early, even by a nanosecond
//     timer kind:K tasks:N for_ms:T     tasks that sleep 10 to 50 ms again and again: CPU ns a timer armed and fired

#include <bench/harness/stall.hpp>
#include <bench/workload/seed.hpp>

namespace bench {

constexpr std::chrono::milliseconds nap{1};

inline std::int64_t late_since(steady::time_point begin) {
  return since(begin) - nap / std::chrono::nanoseconds(1);
}

template <class Kind>
typename Kind::coroutine sleeper_awaiting(std::vector<std::int64_t>& late) {
  for (std::int64_t& each : late) {
    const auto begin = steady::now();
    co_await Kind::async_sleep_for(nap);
    each = late_since(begin);
  }
}

template <class Kind>
void sleeping(keys& given, json_line& line) {
  const auto samples = static_cast<std::size_t>(given.number("samples", 1'000, 1, 10'000'000));
  given.no_others();
  const stalls machine{static_cast<std::int64_t>(samples)};
  std::vector<std::int64_t> late(samples);
  std::int64_t duration = 0;
  const std::int64_t cpu = cpu_ns();
  const auto begin = steady::now();
  Kind::run(
      1, 1,
      [&](unsigned) {
        if constexpr (Kind::awaits) {
          return sleeper_awaiting<Kind>(late);
        } else {
          for (std::int64_t& each : late) {
            const auto asleep = steady::now();
            Kind::sleep_for(nap);
            each = late_since(asleep);
          }
        }
      },
      [] {});
  duration = since(begin);
  durations all;
  for (const std::int64_t each : late) {
    if (each < 0) throw std::runtime_error("a sleep ended " + std::to_string(-each) + " ns early");
    all.record(each);
  }
  line.add("p50_ns", all.quantile(0.5))
      .add("p99_ns", all.quantile(0.99))
      .add("max_ns", all.longest())
      .add("cpu_ns", cpu_ns() - cpu)
      .add("duration_ns", duration)
      .add("samples", samples);
  machine.add_to(line);
}

struct timer_state {
  explicit timer_state(unsigned tasks) : fired(tasks) {}
  window time;
  std::vector<std::atomic<std::uint32_t>> fired;  // by each task; only it writes
  shared_durations lateness;

  std::uint64_t sum() const {
    std::uint64_t all = 0;
    for (const auto& each : fired) all += each.load(std::memory_order_relaxed);
    return all;
  }
};

// Between two naps of one task: how long the next one is, and whether it is timed.
class napper {
 public:
  napper(timer_state& s, unsigned me) : m_state{s}, m_me{me}, m_random{me * 0x9E3779B97F4A7C15U | 1} {
    s.time.arrived.fetch_add(1, std::memory_order_release);
  }
  std::chrono::nanoseconds next() {
    m_random ^= m_random << 13;
    m_random ^= m_random >> 7;
    m_random ^= m_random << 17;
    const auto d = std::chrono::nanoseconds(10'000'000 + static_cast<std::int64_t>(m_random % 40'000'000));
    m_timed = m_random >> 58 == 0 && m_state.time.is_open();
    if (m_timed) m_due = steady::now() + d;
    return d;
  }
  void fired() {
    auto& own = m_state.fired[m_me];
    own.store(own.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (m_timed) m_state.lateness.record(since(m_due));
  }

 private:
  timer_state& m_state;
  unsigned m_me;
  bool m_timed = false;
  std::uint64_t m_random;
  steady::time_point m_due{};
};

template <class Kind>
typename Kind::coroutine timer_party_awaiting(timer_state& s, unsigned me) {
  for (napper own{s, me}; !s.time.is_closed();) {
    co_await Kind::async_sleep_for(own.next());
    own.fired();
  }
}

template <class Kind>
void timing(keys& given, json_line& line) {
  const unsigned tasks = given.count("tasks", 100'000, 1, 10'000'000);
  const unsigned workers = given.count("workers", usable_cores(), 1, 1'024);
  const std::int64_t for_ms = given.number("for_ms", 500, 1, 3'600'000);
  given.no_others();
  timer_state s{tasks};
  std::uint64_t fired = 0;
  std::int64_t cpu = 0, duration = 0;
  Kind::run(
      tasks, workers,
      [&s](unsigned me) {
        if constexpr (Kind::awaits) {
          return timer_party_awaiting<Kind>(s, me);
        } else {
          for (napper own{s, me}; !s.time.is_closed();) {
            Kind::sleep_for(own.next());
            own.fired();
          }
        }
      },
      [&] {
        while (s.time.arrived.load(std::memory_order_acquire) != tasks)
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        s.time.open.store(true, std::memory_order_release);
        const auto begin = steady::now();
        const std::uint64_t before = s.sum();
        cpu = -cpu_ns();
        std::this_thread::sleep_until(begin + std::chrono::milliseconds(for_ms));
        cpu += cpu_ns();
        duration = since(begin);
        fired = s.sum() - before;
        s.time.closed.store(true, std::memory_order_relaxed);
      });
  if (fired == 0) throw std::runtime_error("no timer fired in the time");
  line.add("ns", static_cast<double>(cpu) / static_cast<double>(fired))
      .add("ops", fired)
      .add("cpu_ns", cpu)
      .add("duration_ns", duration);
  add_lateness(line, s.lateness.all);
}

}  // namespace bench
