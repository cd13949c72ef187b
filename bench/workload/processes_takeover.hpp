#pragma once

// How long a lock is lost when its holder is killed: from kill(2) until the next one is inside, which had been waiting for it.
//
//     processes_takeover kind:K samples:N resident_mb:M      {"p50_ns": ..., "p99_ns": ..., "max_ns": ...}
//
// Each time a process takes the lock, a second one waits for it, for a time at random, and the first is killed. The clock is
// read before kill(2) is called, and by the next holder in its section. The holder has M megabytes of its own, which the
// kernel takes apart when it dies. The two are a party each of their own kind in a process of their own.

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include <bench/harness/durations.hpp>
#include <bench/harness/forked.hpp>
#include <bench/harness/json_line.hpp>
#include <bench/harness/keys.hpp>
#include <bench/harness/stall.hpp>
#include <bench/workload/parties.hpp>

namespace bench {

namespace processes_takeover_detail {

// Rounds are counted from 1. Who writes a time stores the round behind it, released.
struct state {
  std::atomic<unsigned> inside{0};  // the holder of this round is
  std::atomic<unsigned> round{0};   // the other one may ask for the lock
  std::atomic<unsigned> asked{0};
  std::atomic<unsigned> taken{0};
  std::atomic<std::int64_t> taken_ns{0};
  std::atomic<bool> died{false};  // it was told of the death
  std::atomic<bool> over{false};
};

inline std::int64_t now_ns() { return steady::now().time_since_epoch() / std::chrono::nanoseconds(1); }

template <class Check>
void await(const std::atomic<unsigned>& word, unsigned value, Check check) {
  for (int i = 0; word.load(std::memory_order_acquire) != value; ++i) {
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    if (i % 100 == 99) check();
    if (i == 100'000) throw std::runtime_error("nobody takes over what a process that was killed had held");
  }
}

template <class Kind, class Lock>
void hold_until_killed(state& s, Lock& shared, unsigned round, std::int64_t resident_mb) {
  std::vector<char> memory(static_cast<std::size_t>(resident_mb) * 1'000'000, 'x');
  typename Lock::handle lock{shared};
  Kind::run(
      1, 1,
      [&](unsigned) {
        lock.lock();
        lock.guarded() = round;
        s.inside.store(round, std::memory_order_release);
        for (;;) Kind::sleep_for(std::chrono::seconds(1));
      },
      [] {});
}

template <class Kind, class Lock>
void take_over(state& s, Lock& shared) {
  typename Lock::handle lock{shared};
  Kind::run(
      1, 1,
      [&](unsigned) {
        for (unsigned round = 1; !s.over.load(std::memory_order_relaxed);) {
          if (s.round.load(std::memory_order_acquire) != round) {
            Kind::sleep_for(std::chrono::microseconds(50));
            continue;
          }
          s.asked.store(round, std::memory_order_release);
          lock.lock();
          s.taken_ns.store(now_ns(), std::memory_order_relaxed);
          s.died.store(lock.owner_died() && lock.guarded() == round, std::memory_order_relaxed);
          lock.unlock();
          s.taken.store(round++, std::memory_order_release);
        }
      },
      [] {});
}

}  // namespace processes_takeover_detail

template <class Kind, template <class> class Lock>
void processes_takeover(keys& given, json_line& line) {
  using namespace processes_takeover_detail;
  const unsigned samples = given.count("samples", 200, 1, 1'000'000);
  const std::int64_t resident_mb = given.number("resident_mb", 0, 0, 100'000);
  given.no_others();

  const stalls machine{100};
  shared_memory<state> s;
  Lock<unsigned> lock;
  forked next{[&] { take_over<Kind>(*s, lock); }};
  durations took;
  std::uint64_t random = 1;
  for (unsigned round = 1; round <= samples; ++round) {
    forked holder{[&] { hold_until_killed<Kind>(*s, lock, round, resident_mb); }};
    const auto check = [&] {
      next.require_sound();
      holder.require_sound();
    };
    await(s->inside, round, check);
    s->round.store(round, std::memory_order_release);
    await(s->asked, round, check);
    random = random * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    std::this_thread::sleep_for(std::chrono::microseconds(300 + (random >> 33) % 2'000));
    const std::int64_t killed = now_ns();
    holder.kill();
    await(s->taken, round, [&] { next.require_sound(); });
    const std::int64_t after = s->taken_ns.load(std::memory_order_relaxed) - killed;
    if (after < 0) throw std::runtime_error("somebody got a lock that was held");
    if (!s->died.load(std::memory_order_relaxed))
      throw std::runtime_error("who took over was not told that the holder had been killed");
    took.record(after);
    holder.bury();
  }
  s->over.store(true, std::memory_order_relaxed);
  next.join();
  line.add("samples", samples)
      .add("p50_ns", took.quantile(0.5))
      .add("p99_ns", took.quantile(0.99))
      .add("max_ns", took.longest());
  machine.add_to(line);
}

}  // namespace bench
