#pragma once

// Thousands wait for a lock with a deadline, none of them gets it, and all of them come again; what does it cost a
// bystander who holds that lock and locks and unlocks another one?
//
//     timeout_storm kind:K parties:N workers:W deadline_ms:D gap_ns:G for_ms:T
//
// The holder is a thread that has the wanted lock throughout and takes one of the same kind that nobody else wants every
// gap_ns or so, 16 times in a row: a clock counts in steps longer than one lock+unlock. p99_ns is of one of them, with a
// sixteenth of the clock, in the storm; calm_p99_ns before and after it, half of the time each; p99_ratio the one over the other. last_unlock_ns is its unlock of the wanted lock with all of them
// waiting. Fails if anybody got the lock in the storm, or gave up early. Lateness: of giving up, past the deadline.

#include <bench/harness/spin.hpp>
#include <bench/workload/seed.hpp>
#include <bench/workload/uncontended.hpp>

namespace bench {

template <class Mutex>
struct storm_state {
  storm_state(unsigned parties, std::int64_t deadline_ms) : deadline{deadline_ms}, records(parties) {}

  guarded_counter<Mutex> wanted;
  guarded_counter<Mutex> small;  // the holder's
  window time;
  const std::chrono::milliseconds deadline;
  std::vector<party_record> records;  // who gave up how often
  shared_durations lateness;
  std::atomic<unsigned> got{0}, early{0};

  std::uint64_t expired() const {
    std::uint64_t all = 0;
    for (const party_record& each : records)
      all += each.ops.load(
          std::memory_order_relaxed);  // relaxed: what each has counted so far, exact once joined
    return all;
  }
};

// What a party notes of its tries.
template <class Mutex>
class storm_party {
 public:
  storm_party(storm_state<Mutex>& s, unsigned me) : m_state{s}, m_me{me}, m_samples{me} {
    s.time.arrived.fetch_add(1, std::memory_order_release);
  }
  void tries() { m_begin = steady::now(); }
  void got() {
    if (!m_state.time.is_closed())
      m_state.got.fetch_add(1, std::memory_order_relaxed);  // relaxed: read when all are joined
    ++m_state.wanted.value;
  }
  void gave_up() {
    const std::int64_t late = since(m_begin) - m_state.deadline / std::chrono::nanoseconds(1);
    if (late < 0) m_state.early.fetch_add(1, std::memory_order_relaxed);  // likewise
    m_state.records[m_me].done();
    if (m_samples.due() && m_state.time.is_open()) m_state.lateness.record(late);
  }

 private:
  storm_state<Mutex>& m_state;
  unsigned m_me;
  sampler m_samples;
  steady::time_point m_begin{};
};

template <class Mutex>
void try_in_vain(storm_state<Mutex>& s, unsigned me) {
  for (storm_party own{s, me}; !s.time.is_closed();) {
    own.tries();
    if (s.wanted.mutex.try_lock_for(s.deadline)) {
      own.got();
      s.wanted.mutex.unlock();
    } else {
      own.gave_up();
    }
  }
}

template <class Kind, class Mutex>
typename Kind::coroutine try_in_vain_awaiting(storm_state<Mutex>& s, unsigned me) {
  for (storm_party own{s, me}; !s.time.is_closed();) {
    own.tries();
    if (auto hold = co_await s.wanted.mutex.async_lock_for(s.deadline)) {
      own.got();
    } else {
      own.gave_up();
    }
  }
}

constexpr int in_a_row = 16;

template <class Mutex>
void hold_small(guarded_counter<Mutex>& small, const spin& gap, std::int64_t for_ms, durations& took) {
  const auto end = steady::now() + std::chrono::milliseconds(for_ms);
  for (auto now = steady::now(); now < end; now = steady::now()) {
    for (int i = 0; i < in_a_row; ++i) {
      small.mutex.lock();
      ++small.value;
      small.mutex.unlock();
    }
    took.record(since(now));
    gap();
  }
}

// What the holder saw of one.
struct storm_seen {
  std::uint64_t expired = 0;
  std::int64_t duration_ns = 0, cpu_ns = 0, last_unlock_ns = 0;
};

template <class Kind, class Mutex>
storm_seen weather(storm_state<Mutex>& s, unsigned workers, const spin& gap, std::int64_t for_ms,
                   durations& storm) {
  storm_seen seen;
  s.wanted.mutex.lock();
  Kind::run(
      static_cast<unsigned>(s.records.size()), workers,
      [&s](unsigned me) {
        if constexpr (Kind::awaits) {
          return try_in_vain_awaiting<Kind>(s, me);
        } else {
          try_in_vain(s, me);
        }
      },
      [&] {
        while (s.time.arrived.load(std::memory_order_acquire) != s.records.size())
          std::this_thread::sleep_for(std::chrono::microseconds(200));
        s.time.open.store(true, std::memory_order_release);
        const std::uint64_t before = s.expired();
        seen.cpu_ns = -cpu_ns();
        const auto begin = steady::now();
        hold_small(s.small, gap, for_ms, storm);
        seen.duration_ns = since(begin);
        seen.expired = s.expired() - before;
        seen.cpu_ns += cpu_ns();
        s.time.closed.store(true, std::memory_order_relaxed);  // relaxed: each sees it at its next turn
        const auto unlocks = steady::now();
        s.wanted.mutex.unlock();
        seen.last_unlock_ns = since(unlocks);
      });
  if (s.got != 0) throw std::runtime_error(std::to_string(s.got) + " got a lock that was held");
  if (s.early != 0) throw std::runtime_error(std::to_string(s.early) + " gave up before their deadline");
  return seen;
}

template <class Kind>
void timeout_storm(keys& given, json_line& line) {
  const unsigned parties = given.count("parties", Kind::is_thread ? 1'000 : 10'000, 1, 100'000);
  const unsigned workers = given.count("workers", 1, 1, 1'024);
  const std::int64_t deadline_ms = given.number("deadline_ms", 10, 1, 10'000);
  const spin gap{given.number("gap_ns", 1'000, 0, 1'000'000'000)};
  const std::int64_t for_ms = given.number("for_ms", 300, 1, 3'600'000);
  given.no_others();
  if (Kind::is_thread && parties > 32'000)
    throw usage_error("parties: more than 32000 threads are not to be had");

  storm_state<typename Kind::mutex> breeze{10, 5}, s{parties, deadline_ms};
  durations first, calm, storm;
  for (durations* each : {&first, &calm, &storm}) each->make_room(10'000'000'000);
  uncontended_detail::another_thread alive;
  weather<Kind>(breeze, workers, gap, 5,
                first);  // what a lock starts when somebody has waited for the first time
  hold_small(s.small, gap, for_ms / 2, calm);
  const storm_seen seen = weather<Kind>(s, workers, gap, for_ms, storm);
  hold_small(s.small, gap, for_ms - for_ms / 2, calm);

  if (s.small.value != (calm.total() + storm.total()) * in_a_row)
    throw std::runtime_error("the counter does not add up");
  if (seen.expired == 0) throw std::runtime_error("nobody gave up in the time");
  const auto one = [](const durations& of, double share) {
    return static_cast<double>(of.quantile(share)) / in_a_row;
  };
  line.add("p99_ratio", one(storm, 0.99) / one(calm, 0.99))
      .add("p50_ns", one(storm, 0.5))
      .add("p99_ns", one(storm, 0.99))
      .add("max_ns", storm.longest())
      .add("calm_p50_ns", one(calm, 0.5))
      .add("calm_p99_ns", one(calm, 0.99))
      .add("calm_max_ns", calm.longest())
      .add("last_unlock_ns", seen.last_unlock_ns)
      .add("ops", seen.expired)
      .add("duration_ns", seen.duration_ns)
      .add("ops_per_s", static_cast<double>(seen.expired) * 1e9 / static_cast<double>(seen.duration_ns))
      .add("cpu_ns", seen.cpu_ns);
  add_lateness(line, s.lateness.all);
}

}  // namespace bench
