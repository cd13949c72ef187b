#pragma once

// A small value that many read and few write, behind a lock that readers share.
//
//     read_mostly kind:K parties:N reads:R workers:W for_ms:T seed:S
//
// R of a hundred turns read, at random. The value is eight numbers on a line of their own, apart from the lock. A writer
// adds one to each: a reader that sees two that differ was let in beside a writer, and in the end each holds as many
// as there were writes. The waits are the writers': of all writes where they are rare, else of one in 16. Threads that are
// no more than cores have one each: on a busy machine two of them share one for the first 100 ms, and what a second core
// is worth would be a matter of luck.

#include <array>
#include <cstdint>
#include <vector>

#include <bench/harness/json_line.hpp>
#include <bench/harness/keys.hpp>
#include <bench/harness/stall.hpp>
#include <bench/workload/parties.hpp>

namespace bench {

template <class Mutex>
struct read_mostly_state {
  read_mostly_state(unsigned parties, unsigned reads_, std::int64_t seed_)
      : reads{reads_}, seed{static_cast<std::uint64_t>(seed_)}, records(parties), results(parties) {
    for (party_record& each : records) each.waits.make_room(10'000'000'000);
  }

  using numbers = std::array<std::uint64_t, 8>;
  struct alignas(128) result {
    std::uint64_t writes = 0;
    std::uint64_t torn = 0;
  };

  alignas(128) Mutex mutex;
  alignas(128) numbers value{};  // guarded
  window time;
  const unsigned reads;  // of a hundred turns
  const std::uint64_t seed;
  std::vector<party_record> records;
  std::vector<result> results;  // when a party has ended
};

// One party: what its next turn is, and what it does with the lock held.
template <class State>
class reader_or_writer {
 public:
  reader_or_writer(State& s, unsigned me)
      : m_state{s},
        m_me{me},
        m_random{(s.seed + me) * 0x9E3779B97F4A7C15U | 1},
        m_writes_below{(std::uint64_t{100} - s.reads) << 32},
        m_samples{s.seed + me},
        m_all_timed{s.reads >= 95} {
    s.time.arrived.fetch_add(1, std::memory_order_release);
  }
  ~reader_or_writer() { m_state.results[m_me] = m_result; }

  bool writes_next() {
    if (m_writes_below == 0) return false;
    m_random ^= m_random << 13;
    m_random ^= m_random >> 7;
    m_random ^= m_random << 17;
    return (m_random >> 32) * 100 < m_writes_below;
  }
  // Before a writer's lock, and when it has it.
  void asks() {
    m_timed = m_all_timed || m_samples.due();
    if (m_timed) m_asked = steady::now();
  }
  void write() {
    if (m_timed) m_state.records[m_me].waits.record(since(m_asked));
    for (std::uint64_t& each : m_state.value) ++each;
    ++m_result.writes;
  }
  void read() {
    std::uint64_t differ = 0;
    for (const std::uint64_t each : m_state.value) differ |= each ^ m_state.value.front();
    m_result.torn += differ != 0;
  }
  void done() { m_state.records[m_me].done(); }

 private:
  State& m_state;
  unsigned m_me;
  std::uint64_t m_random;
  std::uint64_t m_writes_below;
  sampler m_samples;
  bool m_all_timed;
  bool m_timed = false;
  steady::time_point m_asked{};
  typename State::result m_result{};
};

template <class Kind, class Mutex>
void read_or_write(read_mostly_state<Mutex>& s, unsigned me) {
  if (Kind::is_thread && s.records.size() <= usable_cores()) stay_on_core(me);
  reader_or_writer own{s, me};
  while (!s.time.is_open()) Kind::yield();
  while (!s.time.is_closed()) {
    if (own.writes_next()) {
      own.asks();
      s.mutex.lock();
      own.write();
      s.mutex.unlock();
    } else {
      s.mutex.lock_shared();
      own.read();
      s.mutex.unlock_shared();
    }
    own.done();
  }
}

template <class Kind, class Mutex>
typename Kind::coroutine read_or_write_awaiting(read_mostly_state<Mutex>& s, unsigned me) {
  reader_or_writer own{s, me};
  while (!s.time.is_open()) co_await Kind::async_yield();
  while (!s.time.is_closed()) {
    if (own.writes_next()) {
      own.asks();
      auto hold = co_await s.mutex.async_lock();
      own.write();
    } else {
      auto look = co_await s.mutex.async_lock_shared();
      own.read();
    }
    own.done();
  }
}

template <class Kind>
void read_mostly(keys& given, json_line& line) {
  const unsigned parties = given.count("parties", 100, 1, 10'000);
  const unsigned reads = given.count("reads", 90, 0, 100);
  const unsigned workers = given.count("workers", usable_cores(), 1, 1'024);
  const std::int64_t for_ms = given.number("for_ms", 500, 1, 3'600'000);
  const std::int64_t seed = given.number("seed", 1, 0, 1'000'000'000);
  given.no_others();

  const stalls machine{for_ms};
  read_mostly_state<typename Kind::mutex> s{parties, reads, seed};
  within_window seen;
  Kind::run(
      parties, workers,
      [&s](unsigned me) {
        if constexpr (Kind::awaits) {
          return read_or_write_awaiting<Kind>(s, me);
        } else {
          read_or_write<Kind>(s, me);
        }
      },
      [&] { seen = watch(s.time, s.records, for_ms); });

  std::uint64_t writes = 0, torn = 0, ops = 0;
  durations waits;
  for (unsigned i = 0; i < parties; ++i) {
    writes += s.results[i].writes;
    torn += s.results[i].torn;
    ops += s.records[i].ops.load(
        std::memory_order_relaxed);  // relaxed: what each has counted so far, exact once joined
    waits.add(s.records[i].waits);
  }
  if (torn != 0) throw std::runtime_error(std::to_string(torn) + " readers saw half of a write");
  for (const std::uint64_t each : s.value) {
    if (each != writes)
      throw std::runtime_error("a number holds " + std::to_string(each) + " of " + std::to_string(writes) +
                               " writes");
  }
  seen.add_to(line);
  const double rate = static_cast<double>(seen.sum) * 1e9 / static_cast<double>(seen.duration_ns);
  const double part = ops == 0 ? 0 : static_cast<double>(writes) / static_cast<double>(ops);
  line.add("reads_per_s", rate * (1 - part)).add("writes_per_s", rate * part);
  if (waits.total() != 0) add_waits(line, waits);
  machine.add_to(line);
}

}  // namespace bench
