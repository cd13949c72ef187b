#pragma once

// Many wait, each for a condition of its own on what one lock guards; each change lets one of them go on.
//
//     condition kind:K waiters:N random:0|1 workers:W for_ms:T
//
// Waiter i waits until number i is due. With the lock held it then counts, names the number that is due next, frees the
// lock and waits again: an update lasts until the one that it was for has run. In turn (random:0) the next number is
// that of the one who has waited longest, as with tickets; at random it is anybody's, and whoever looks for it has to ask half
// of them. A board is the lock, the value and the way to wait.

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include <bench/harness/json_line.hpp>
#include <bench/harness/keys.hpp>
#include <bench/workload/parties.hpp>

namespace bench {

struct board_value {
  std::int64_t due = -1;
  bool over = false;
  std::uint64_t updates = 0;
  std::uint64_t random = 0x9E3779B97F4A7C15U;

  bool concerns(unsigned waiter) const { return due == waiter || over; }
};

// A mutex and a condition variable: all are woken, all look.
template <class Mutex, class Condition>
class notify_all_board {
 public:
  template <class F>
  void await_turn(unsigned me, F f) {
    std::unique_lock hold{m_mutex};
    m_changed.wait(hold, [&] { return m_value.concerns(me); });
    f(m_value);
    hold.unlock();
    m_changed.notify_all();
  }
  template <class F>
  void change(F f) {
    {
      const std::lock_guard hold{m_mutex};
      f(m_value);
    }
    m_changed.notify_all();
  }

 private:
  Mutex m_mutex;
  Condition m_changed;
  board_value m_value;
};

template <class Board>
struct condition_state {
  explicit condition_state(unsigned waiters, bool random_) : random{random_}, records(waiters) {}
  Board board;
  const bool random;
  window time;
  std::vector<party_record> records;

  // With the lock, when it is this one's turn. False: all is over.
  bool turn(board_value& v, unsigned me) {
    if (v.over) return false;
    records[me].done();
    ++v.updates;
    v.over = time.is_closed();
    v.due = next(v, me);
    return !v.over;
  }
  std::int64_t next(board_value& v, unsigned me) const {
    const std::uint64_t all = records.size();
    if (random) {
      v.random ^= v.random << 13;
      v.random ^= v.random >> 7;
      v.random ^= v.random << 17;
      if (const std::uint64_t n = v.random % all; n != me) return static_cast<std::int64_t>(n);
    }
    return static_cast<std::int64_t>((me + 1) % all);
  }
  std::uint64_t sum() const {
    std::uint64_t all = 0;
    for (const party_record& each : records)
      all += each.ops.load(
          std::memory_order_relaxed);  // relaxed: what each has counted so far, exact once joined
    return all;
  }
};

template <class Board>
void wait_in_turns(condition_state<Board>& s, unsigned me) {
  s.time.arrived.fetch_add(1, std::memory_order_release);
  for (bool goes_on = true; goes_on;)
    s.board.await_turn(me, [&](board_value& v) { goes_on = s.turn(v, me); });
}

template <class Kind, class Board>
typename Kind::coroutine wait_in_turns_awaiting(condition_state<Board>& s, unsigned me) {
  s.time.arrived.fetch_add(1, std::memory_order_release);
  for (bool goes_on = true; goes_on;)
    co_await s.board.async_await_turn(me, [&](board_value& v) { goes_on = s.turn(v, me); });
}

template <class Kind, class Board>
void condition(keys& given, json_line& line) {
  const unsigned waiters = given.count("waiters", 1'000, 2, 100'000);
  const bool random = given.number("random", 0, 0, 1) != 0;
  const unsigned workers = given.count("workers", usable_cores(), 1, 1'024);
  const std::int64_t for_ms = given.number("for_ms", 500, 1, 3'600'000);
  given.no_others();
  if (Kind::is_thread && waiters > 32'000)
    throw usage_error("waiters: more than 32000 threads are not to be had");

  condition_state<Board> s{waiters, random};
  std::uint64_t updates = 0;
  std::int64_t duration = 0, cpu = 0;
  Kind::run(
      waiters, workers,
      [&s](unsigned me) {
        if constexpr (Kind::awaits) {
          return wait_in_turns_awaiting<Kind>(s, me);
        } else {
          wait_in_turns(s, me);
        }
      },
      [&] {
        while (s.time.arrived.load(std::memory_order_acquire) != waiters)
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));  // they wait
        s.board.change([](board_value& v) { v.due = 0; });
        std::this_thread::sleep_for(std::chrono::milliseconds(20));  // a lap or so
        const std::uint64_t before = s.sum();
        const auto begin = steady::now();
        cpu = -cpu_ns();
        std::this_thread::sleep_until(begin + std::chrono::milliseconds(for_ms));
        updates = s.sum() - before;
        duration = since(begin);
        cpu += cpu_ns();
        s.time.closed.store(true, std::memory_order_relaxed);  // relaxed: each sees it at its next turn
      });
  std::uint64_t all = 0;
  s.board.change([&](board_value& v) { all = v.updates; });
  require_sum(s.records, all);
  if (updates == 0) throw std::runtime_error("nobody had a turn in the time");
  line.add("ops", updates)
      .add("duration_ns", duration)
      .add("ops_per_s", static_cast<double>(updates) * 1e9 / static_cast<double>(duration))
      .add("cpu_ns", cpu);
}

}  // namespace bench
