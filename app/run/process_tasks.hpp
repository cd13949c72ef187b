#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>

#include <app/run/board.hpp>
#include <app/run/shared_state.hpp>
#include <app/run/shared_value.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task.hpp>

// The loop of one task among processes, for each kind of task. tasks.hpp has those within one process.
namespace app {

// Whether closures that change such a value are alone with it, wherever they run. Not those that only come to something when they are
// committed: at cluster scope one who has lost the lock may run his at any time.
template <class Value>
inline constexpr bool runs_alone = true;

// What the tasks of one process have in common. Value: guarded, unguarded, or what cluster/run_value.hpp has.
template <class Value>
struct process_share {
  const run_options& options;
  board& shared;
  turns& turns_of;
  Value& value;
  unsigned process;
  std::function<void()> tell{};  // what it has to tell the parent from time to time
  std::stop_token stop_long_sleeps{};

  bool stopping() const noexcept { return shared.stop.raised(); }
  bool reads(std::uint64_t party) const noexcept { return party < options.readers; }
  bool timed(std::uint64_t turn) const noexcept {
    return (turn & shared.untimed.load(mortise::memory_order_relaxed)) == 0;
  }
  void woke(mortise::nanos due) const noexcept {
    if (due != 0 && !stopping()) shared.lateness.record(mortise::now_ns() - due);
  }
  void count(std::uint64_t party) const noexcept {
    board::place& own = shared.of[process];
    (reads(party) ? own.read_ops : own.write_ops).fetch_add(1, mortise::memory_order_relaxed);
    if (turns_of.kept()) [[unlikely]]
      turns_of.add(party);
  }
};

// The sections of a turn. `asked`: when, or 0 for a turn that is not timed.
template <class Value>
struct reading {
  const process_share<Value>* of;
  int key;
  mortise::nanos asked;
  template <class State>
  int operator()(const State& state) const {
    if (asked != 0) of->shared.wait.record(mortise::now_ns() - asked);
    if (!state.whole()) of->shared.of[of->process].torn.fetch_add(1, mortise::memory_order_relaxed);
    const auto found = state.map.find(key);
    return found == state.map.end() ? 0 : found->second;
  }
};

template <class Value>
struct writing {
  const process_share<Value>* of;
  std::uint64_t party;
  int key, value;
  mortise::nanos asked;
  // Who is inside leaves its number, and finds it when it leaves. Whoever was killed inside left its own, which is no harm.
  template <class State>
  bool operator()(State& state, const mortise::shm::tenure& tenure) const {
    if (asked != 0) of->shared.wait.record(mortise::now_ns() - asked);
    auto& inside = of->shared.inside;
    auto& own = of->shared.of[of->process];
    if constexpr (runs_alone<Value>)
      inside.store(party, mortise::memory_order_relaxed);  // relaxed: the lock orders it, as in seed_map.hpp
    if (!state.whole()) own.torn.fetch_add(1, mortise::memory_order_relaxed);
    if (tenure.token != 0 && tenure.token <= state.token)
      own.late_tokens.fetch_add(1, mortise::memory_order_relaxed);
    make_room(state.map, key);
    state.map[key] = value;
    ++state.writes;
    state.token = tenure.token;
    state.seal();
    if (runs_alone<Value> && inside.load(mortise::memory_order_relaxed) != party)
      own.overlaps.fetch_add(1, mortise::memory_order_relaxed);
    return true;
  }
};

template <class Value>
int drawn(const process_share<Value>& s, draw& random) {
  return static_cast<int>(random.below(s.options.keys));
}

// Fibers, threads, and processes of one task each.
template <class Value>
void process_task(const process_share<Value>& s, std::uint64_t party, const std::stop_token& stop) {
  draw random(s.options.seed, party);
  const std::chrono::nanoseconds pause{s.options.sleep_ns};
  long total = 0;
  for (std::uint64_t turn = party + 1; !s.stopping(); ++turn) {
    const bool timed = s.timed(turn);
    const int key = drawn(s, random);
    bool done = true;
    if (s.reads(party)) {
      total += s.value.read(reading<Value>{&s, key, timed ? mortise::now_ns() : 0});
    } else {
      const int value = static_cast<int>(random.below(s.options.values));
      done = s.value.update(writing<Value>{&s, party, key, value, timed ? mortise::now_ns() : 0});
    }
    if (done) s.count(party);
    if (pause.count() == 0) {
      mortise::yield();
      continue;
    }
    const mortise::nanos due = timed ? mortise::now_ns() + pause.count() : 0;
    if (pause.count() <= short_sleep_ns) {
      mortise::sleep_for(pause);
    } else if (s.options.tasks == task_kind::process) {
      if (s.shared.stop.wait_until(mortise::deadline_after(pause))) break;
    } else if (!mortise::sleep_for(pause, stop)) {
      break;
    }
    s.woke(due);
  }
  asm volatile("" ::"r"(total));  // as in the seed, the sum is computed and never used
}

template <class Value>
mortise::task<> async_process_task(const process_share<Value>& s, std::uint64_t party) {
  draw random(s.options.seed, party);
  const std::chrono::nanoseconds pause{s.options.sleep_ns};
  long total = 0;
  for (std::uint64_t turn = party + 1; !s.stopping(); ++turn) {
    mortise::nanos moment = s.timed(turn) ? mortise::now_ns() : 0;
    const int key = drawn(s, random);
    bool done = true;
    if (s.reads(party)) {
      total += co_await s.value.async_read(reading<Value>{&s, key, moment});
    } else {
      const int value = static_cast<int>(random.below(s.options.values));
      done = co_await s.value.async_update(writing<Value>{&s, party, key, value, moment});
    }
    if (done) s.count(party);
    if (pause.count() == 0) {
      co_await mortise::async_yield();
      continue;
    }
    if (moment != 0) moment = mortise::now_ns() + pause.count();
    if (pause.count() <= short_sleep_ns) {
      co_await mortise::async_sleep_for(pause);
    } else if (!co_await mortise::async_sleep_for(pause, s.stop_long_sleeps)) {
      break;
    }
    s.woke(moment);
  }
  asm volatile("" ::"r"(total));
}

}  // namespace app
