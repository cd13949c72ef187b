#pragma once

// One mutex that all want: lock, count, hold for a while, unlock, do something else for a while.
//
//     contended kind:K parties:N workers:W held_ns:H gap_ns:G for_ms:T seed:S

#include <cstdint>
#include <vector>

#include <bench/harness/json_line.hpp>
#include <bench/harness/keys.hpp>
#include <bench/harness/spin.hpp>
#include <bench/harness/stall.hpp>
#include <bench/workload/parties.hpp>
#include <bench/workload/uncontended.hpp>

namespace bench {

template <class Mutex>
struct contended_state {
  contended_state(unsigned parties, std::int64_t held_ns, std::int64_t gap_ns, std::int64_t seed_)
      : held{held_ns},
        first_held{held_ns},
        gap{gap_ns},
        seed{static_cast<std::uint64_t>(seed_)},
        records(parties) {
    for (party_record& each : records) each.waits.make_room(10'000'000'000);
  }

  guarded_counter<Mutex> counter;
  window time;
  const spin held;
  spin first_held;  // by party 0
  const spin gap;
  const std::uint64_t seed;
  std::vector<party_record> records;

  const spin& held_by(unsigned party) const { return party == 0 ? first_held : held; }
};

template <class Kind, class Mutex>
void contend(contended_state<Mutex>& s, unsigned me) {
  party_record& own = s.records[me];
  const spin held = s.held_by(me), gap = s.gap;
  sampler samples{s.seed + me};
  s.time.arrived.fetch_add(1, std::memory_order_release);
  while (!s.time.is_open()) Kind::yield();
  while (!s.time.is_closed()) {
    if (samples.due()) {
      const auto asked = steady::now();
      s.counter.mutex.lock();
      own.waits.record(since(asked));
    } else {
      s.counter.mutex.lock();
    }
    ++s.counter.value;
    held();
    s.counter.mutex.unlock();
    own.done();
    gap();
  }
}

template <class Kind, class Mutex>
typename Kind::coroutine contend_awaiting(contended_state<Mutex>& s, unsigned me) {
  party_record& own = s.records[me];
  const spin held = s.held_by(me), gap = s.gap;
  sampler samples{s.seed + me};
  s.time.arrived.fetch_add(1, std::memory_order_release);
  while (!s.time.is_open()) co_await Kind::async_yield();
  while (!s.time.is_closed()) {
    steady::time_point asked{};
    const bool timed = samples.due();
    if (timed) asked = steady::now();
    auto hold = co_await s.counter.mutex.async_lock();
    if (timed) own.waits.record(since(asked));
    ++s.counter.value;
    held();
    hold.unlock();
    own.done();
    gap();
  }
}

// Runs them for so long; throws if what the lock guarded does not add up.
template <class Kind, class Mutex>
within_window run_contended(contended_state<Mutex>& s, unsigned workers, std::int64_t for_ms) {
  within_window seen;
  Kind::run(
      static_cast<unsigned>(s.records.size()), workers,
      [&s](unsigned me) {
        if constexpr (Kind::awaits) {
          return contend_awaiting<Kind>(s, me);
        } else {
          contend<Kind>(s, me);
        }
      },
      [&] { seen = watch(s.time, s.records, for_ms); });
  require_sum(s.records, s.counter.value);
  return seen;
}

template <class Kind>
void contended(keys& given, json_line& line) {
  const unsigned parties = given.count("parties", 8, 1, 10'000);
  const unsigned workers = given.count("workers", usable_cores(), 1, 1'024);
  const std::int64_t held_ns = given.number("held_ns", 0, 0, 1'000'000'000);
  const std::int64_t gap_ns = given.number("gap_ns", 0, 0, 1'000'000'000);
  const std::int64_t for_ms = given.number("for_ms", 500, 1, 3'600'000);
  const std::int64_t seed = given.number("seed", 1, 0, 1'000'000'000);
  given.no_others();

  const stalls machine{for_ms};
  contended_state<typename Kind::mutex> s{parties, held_ns, gap_ns, seed};
  const within_window seen = run_contended<Kind>(s, workers, for_ms);

  durations waits;
  for (const party_record& each : s.records) waits.add(each.waits);
  seen.add_to(line);
  add_waits(line, waits);
  machine.add_to(line);
}

}  // namespace bench
