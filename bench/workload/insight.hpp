#pragma once

// What a part of insight costs while it is on, which is switched on and off under one load: harness/alternation.hpp.
//
//     insight_PART kind:K parties:N workers:W sleep_us:S yields:Y slice_us:U for_ms:T
//
// The load is the seed's program: a tenth of the parties write to a map behind one mutex, the others read; each sleeps for sleep_us between its
// turns, or lets others run if that is 0, or (yields:0) does nothing else. on_off_ratio is what is done while it is on, of
// what is done while it is off: in the same time, or for the same CPU time where parties sleep. control_ratio is off against off.

#include <map>
#include <mutex>

#include <mortise/task/counter.hpp>

#include <bench/harness/alternation.hpp>
#include <bench/harness/keys.hpp>
#include <bench/workload/parties.hpp>
#include <bench/workload/uncontended.hpp>

namespace bench {

template <class Mutex>
struct observed_state {
  observed_state(std::chrono::microseconds pause_, bool yields_) : pause{pause_}, yields{yields_} {}
  const std::chrono::microseconds pause;
  const bool yields;

  alignas(128) Mutex mutex;
  std::map<unsigned, unsigned> map;  // guarded
  std::uint64_t sections = 0;        // guarded

  mortise::counter ops;
  window time;

  void section(unsigned me, std::uint64_t turn) {
    const auto key = static_cast<unsigned>(turn % 5);
    if (me % 11 == 0) {
      map[key] = me;
    } else {
      const auto found = map.find(key);
      asm volatile("" ::"r"(found == map.end() ? 0 : found->second));
    }
    ++sections;
  }
};

constexpr std::uint64_t observed_in_a_row =
    64;  // turns that are counted together where they are all there is

template <class Kind, class Mutex>
void observed_party(observed_state<Mutex>& s, unsigned me) {
  s.time.arrived.fetch_add(1, std::memory_order_release);
  for (std::uint64_t turn = me; !s.time.is_closed(); ++turn) {
    if (!s.yields) {
      for (std::uint64_t i = 0; i < observed_in_a_row; ++i) {
        const std::lock_guard hold{s.mutex};
        ++s.sections;
      }
      s.ops.add(observed_in_a_row);
      continue;
    }
    {
      const std::lock_guard hold{s.mutex};
      s.section(me, turn);
    }
    s.ops.add();
    s.pause.count() == 0 ? Kind::yield() : Kind::sleep_for(s.pause);
  }
}

template <class Kind, class Mutex>
typename Kind::coroutine observed_party_awaiting(observed_state<Mutex>& s, unsigned me) {
  s.time.arrived.fetch_add(1, std::memory_order_release);
  for (std::uint64_t turn = me; !s.time.is_closed(); ++turn) {
    if (!s.yields) {
      for (std::uint64_t i = 0; i < observed_in_a_row; ++i) {
        const auto hold = co_await s.mutex.async_lock();
        ++s.sections;
      }
      s.ops.add(observed_in_a_row);
      continue;
    }
    {
      const auto hold = co_await s.mutex.async_lock();
      s.section(me, turn);
    }
    s.ops.add();
    if (s.pause.count() == 0) {
      co_await Kind::async_yield();
    } else {
      co_await Kind::async_sleep_for(s.pause);
    }
  }
}

// `Part`: on() and off().
template <class Kind, class Part>
void insight(keys& given, json_line& line) {
  const unsigned parties = given.count("parties", 110, 1, 1'000'000);
  const unsigned workers = given.count("workers", usable_cores(), 1, 1'024);
  const std::chrono::microseconds pause{given.number("sleep_us", 0, 0, 1'000'000)};
  const bool yields = given.count("yields", 1, 0, 1) == 1;
  const std::chrono::microseconds slice{given.number("slice_us", 12'000, 100, 1'000'000)};
  const std::chrono::milliseconds how_long{given.number("for_ms", 2'000, 1, 3'600'000)};
  given.no_others();
  if (!yields && pause.count() != 0) throw usage_error("yields: 0 leaves no time for sleep_us");
  if (Kind::is_thread && parties > 32'000)
    throw usage_error("parties: more than 32000 threads are not to be had");

  observed_state<typename Kind::mutex> s{pause, yields};
  alternation turns{pause.count() == 0 ? alternation::per::time : alternation::per::cpu, slice};
  uncontended_detail::another_thread alive;
  Kind::run(
      parties, workers,
      [&s](unsigned me) {
        if constexpr (Kind::awaits) {
          return observed_party_awaiting<Kind>(s, me);
        } else {
          observed_party<Kind>(s, me);
        }
      },
      [&] {
        while (s.time.arrived.load(std::memory_order_acquire) != parties)
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        std::this_thread::sleep_for(10 * slice);
        turns.run(how_long, Part::on, Part::off, [&s] { return s.ops.value(); });
        s.time.closed.store(true, std::memory_order_relaxed);  // relaxed: each sees it at its next turn
      });
  if (s.sections != s.ops.value()) throw std::runtime_error("the sections do not add up");
  turns.add_to(line);
}

}  // namespace bench
