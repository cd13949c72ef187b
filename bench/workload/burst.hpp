#pragma once

// All parties arrive at once, again and again: behind a barrier each locks once, and a round lasts until the last of them
// had the mutex.
//
//     burst kind:K parties:N workers:W held_ns:H for_ms:T      ns of a round: median, p99, longest
//
// The first round is not counted. The figures include what it takes to let the parties out of the barrier: threads
// sleep on a futex there, fibers and coroutines yield until it opens.

#include <bench/workload/contended.hpp>

namespace bench {

template <class Mutex>
struct burst_state {
  burst_state(unsigned parties_, std::int64_t held_ns) : parties{parties_}, held{held_ns} {
    rounds.make_room(10'000'000'000);
  }
  const unsigned parties;
  const spin held;
  std::int64_t for_ms = 0;
  steady::time_point begin{};                   // of all
  alignas(128) std::atomic<unsigned> round{0};  // odd: the last one
  alignas(128) std::atomic<unsigned> arrived{0};

  guarded_counter<Mutex> counter;
  durations rounds;  // what follows is written by who is the last, all others wait then
  steady::time_point opened{};
  std::uint64_t done = 0;

  // The last one to arrive lets all go, himself too. False: it is over.
  bool arrive() {
    if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 != parties) return true;
    arrived.store(0, std::memory_order_relaxed);
    if (done == 0) begin = steady::now();
    opened = steady::now();
    const bool over = done != 0 && opened - begin >= std::chrono::milliseconds(for_ms);
    round.fetch_add(over ? 1 : 2, std::memory_order_acq_rel);
    round.notify_all();
    return !over;
  }
  bool has_opened(unsigned seen) const { return round.load(std::memory_order_acquire) != seen; }
  bool is_over() const { return round.load(std::memory_order_relaxed) % 2 != 0; }

  // With the mutex.
  void have() {
    held();
    if (++counter.value % parties != 0) return;
    if (done++ != 0) rounds.record(since(opened));
  }
};

template <class Kind, class Mutex>
void burst_party(burst_state<Mutex>& s) {
  for (;;) {
    const unsigned seen = s.round.load(std::memory_order_acquire);
    s.arrive();
    while (!s.has_opened(seen)) {
      if constexpr (Kind::is_thread) {
        s.round.wait(seen, std::memory_order_acquire);
      } else {
        Kind::yield();
      }
    }
    if (s.is_over()) return;
    s.counter.mutex.lock();
    s.have();
    s.counter.mutex.unlock();
  }
}

template <class Kind, class Mutex>
typename Kind::coroutine burst_party_awaiting(burst_state<Mutex>& s) {
  for (;;) {
    const unsigned seen = s.round.load(std::memory_order_acquire);
    s.arrive();
    while (!s.has_opened(seen)) co_await Kind::async_yield();
    if (s.is_over()) co_return;
    auto hold = co_await s.counter.mutex.async_lock();
    s.have();
  }
}

template <class Kind>
void burst(keys& given, json_line& line) {
  const unsigned parties = given.count("parties", 8, 1, 10'000);
  const unsigned workers = given.count("workers", usable_cores(), 1, 1'024);
  const std::int64_t held_ns = given.number("held_ns", 20, 0, 1'000'000'000);
  const std::int64_t for_ms = given.number("for_ms", 500, 1, 3'600'000);
  given.no_others();

  const stalls machine{for_ms};
  burst_state<typename Kind::mutex> s{parties, held_ns};
  s.for_ms = for_ms;
  const std::int64_t cpu = cpu_ns();
  Kind::run(
      parties, workers,
      [&s](unsigned) {
        if constexpr (Kind::awaits) {
          return burst_party_awaiting<Kind>(s);
        } else {
          burst_party<Kind>(s);
        }
      },
      [] {});
  if (s.counter.value != s.done * parties) throw std::runtime_error("the counter does not add up");
  if (s.rounds.total() == 0) throw std::runtime_error("no round ended in the time");

  line.add("ns", s.rounds.quantile(0.5))
      .add("p99_ns", s.rounds.quantile(0.99))
      .add("max_ns", s.rounds.longest())
      .add("ops", s.counter.value)
      .add("rounds", s.rounds.total())
      .add("cpu_ns", cpu_ns() - cpu);
  machine.add_to(line);
}

}  // namespace bench
