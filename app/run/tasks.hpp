#pragma once

#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <thread>

#include <app/run/shared_state.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task.hpp>

// The loop of one task, for each kind of task and lock. The lock is a template parameter, so that the loop
// has no virtual call.
namespace app {

struct no_lock {
  void lock() noexcept {}
  void unlock() noexcept {}
};

template <class Lock>
inline constexpr bool guards = !std::is_same_v<Lock, no_lock>;

// Readers hold it together.
template <class Lock>
inline constexpr bool shares = requires(Lock& lock) { lock.lock_shared(); };

// Fibers and threads.
template <class Lock>
class blocking_task {
 public:
  blocking_task(shared_state& s, Lock& lock, std::uint64_t party) noexcept
      : m_shared{s}, m_lock{lock}, m_party{party} {}

  void operator()(std::stop_token stop) const {
    draw random(m_shared.options.seed, m_party);
    const std::chrono::nanoseconds pause{m_shared.options.sleep_ns};
    long total = 0;
    for (std::uint64_t turn = m_party + 1; !m_shared.stopping(); ++turn) {
      const bool timed = m_shared.timed(turn);
      total += timed ? timed_turn(random) : this->turn(random, turn);
      count(m_shared, m_party);
      if (pause.count() == 0) {
        mortise::yield();
        continue;
      }
      const mortise::nanos due = timed ? mortise::now_ns() + pause.count() : 0;
      if (pause.count() <= short_sleep_ns) {
        mortise::sleep_for(pause);
      } else if (!mortise::sleep_for(pause, stop)) {
        break;
      }
      m_shared.woke(due);
    }
    asm volatile("" ::"r"(total));  // as in the seed, the sum is computed and never used
  }

 private:
  int turn(draw& random, std::uint64_t turn) const {
    if constexpr (shares<Lock>) {
      if (m_shared.reads(m_party)) {
        const std::shared_lock hold{m_lock};
        return shared_section(m_shared, random);
      }
    }
    const std::lock_guard hold{m_lock};
    return section(m_shared, m_party, random, [&] {
      if constexpr (!guards<Lock>) {
        if (turn % turns_between_yields == 1) mortise::yield();
      }
    });
  }

  int timed_turn(draw& random) const {
    const mortise::nanos asked = mortise::now_ns();
    if constexpr (shares<Lock>) {
      if (m_shared.reads(m_party)) {
        const std::shared_lock hold{m_lock};
        m_shared.wait.record(mortise::now_ns() - asked);
        return shared_section(m_shared, random);
      }
    }
    m_lock.lock();
    const mortise::nanos had = mortise::now_ns();
    const std::lock_guard hold{m_lock, std::adopt_lock};
    m_shared.wait.record(had - asked);
    return section(m_shared, m_party, random, [] {});
  }

  shared_state& m_shared;
  Lock& m_lock;
  std::uint64_t m_party;
};

// Coroutines. The body is lean: ten million frames are counted in bytes, and each kind of awaiter in it takes
// some whether it is used or not. So long sleeps, which can be stopped, are a body of their own.
template <class Lock, bool LongSleeps>
mortise::task<> awaiting_task(shared_state& s, Lock& lock, std::uint64_t party) {
  draw random(s.options.seed, party);
  long total = 0;
  for (std::uint64_t turn = party + 1; !s.stopping(); ++turn) {
    mortise::nanos moment = s.timed(turn) ? mortise::now_ns() : 0;
    if constexpr (guards<Lock>) {
      bool read = false;
      if constexpr (shares<Lock>) {
        if (s.reads(party)) {
          const auto hold = co_await lock.async_lock_shared();
          if (moment != 0) s.wait.record(mortise::now_ns() - moment);
          total += shared_section(s, random);
          read = true;
        }
      }
      if (!read) {
        const auto hold = co_await lock.async_lock();
        if (moment != 0) s.wait.record(mortise::now_ns() - moment);
        total += section(s, party, random, [] {});
      }
    } else {
      // Entering and leaving apart, so that the coroutine can suspend in between.
      const std::uint64_t key = random.below(s.options.keys);
      if (turn % turns_between_yields == 1) {
        s.map.enter(party);
        co_await mortise::async_yield();
        s.map.leave(party);
      }
      total += s.reads(party) ? s.map.read(party, key, [] {})
                              : (s.map.write(party, key, random.below(s.options.values), [] {}), 0);
    }
    count(s, party);
    if (s.options.sleep_ns == 0) {
      co_await mortise::async_yield();
      continue;
    }
    if (moment != 0) moment = mortise::now_ns() + s.options.sleep_ns;
    if constexpr (LongSleeps) {
      if (!co_await mortise::async_sleep_for(std::chrono::nanoseconds{s.options.sleep_ns},
                                             s.stop_long_sleeps))
        break;
    } else {
      co_await mortise::async_sleep_for(std::chrono::nanoseconds{s.options.sleep_ns});
    }
    s.woke(moment);
  }
  asm volatile("" ::"r"(total));
}

}  // namespace app
