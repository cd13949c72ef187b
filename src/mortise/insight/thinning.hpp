#pragma once

// Which of many events are looked at: so few that it costs next to nothing, each standing for those that were passed over.

#include <algorithm>
#include <cstdint>

#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>

namespace mortise::inline MORTISE_ABI::insight {

// Of one thread. Random, as every n-th would always meet the same of two places that take turns.
class dice {
 public:
  // Below `n`, from 0. Requires: n is not 0.
  std::uint32_t below(std::uint32_t n) noexcept {
    return static_cast<std::uint32_t>((static_cast<std::uint64_t>(next()) * n) >> 32);
  }
  bool strikes(double chance) noexcept { return next() < chance * 4294967296.0; }

 private:
  std::uint32_t next() noexcept {  // xorshift64*
    if (m_state == 0) m_state = reinterpret_cast<std::uintptr_t>(this) | 1;
    m_state ^= m_state >> 12;
    m_state ^= m_state << 25;
    m_state ^= m_state >> 27;
    return static_cast<std::uint32_t>((m_state * 0x2545F4914F6CDD1Du) >> 32);
  }
  std::uint64_t m_state = 0;  // ready before any code runs
};

// One event in `one_in`, where events come faster than one in `apart`; all where they do not. Of one thread. What the next one stands for is
// fixed before it happens, so the sum over all samples is right on average however it changes.
class thinning {
 public:
  // What this event stands for; 0: it is passed over.
  unsigned take(dice& d, nanos apart, unsigned most, auto&& now) noexcept {
    if (m_left > 1 && most > 1) {
      --m_left;
      return 0;
    }
    const unsigned stands_for = std::min(m_one_in, most);
    const nanos t = now();
    const nanos since = t - m_last;
    m_last = t;
    if (since < apart) {
      m_one_in = std::min(m_one_in * 2, most);
    } else if (since > 4 * apart) {
      m_one_in = std::max(m_one_in / 2, 1u);
    }
    m_left = m_one_in == 1 ? 1 : 1 + d.below(2 * m_one_in - 1);  // m_one_in on average
    return stands_for;
  }

 private:
  unsigned m_left = 1, m_one_in = 1;
  nanos m_last = 0;
};

// Of the whole process: durations that are worth a sample, which costs microseconds. One that is longer than `m_rate` is, of shorter ones
// as many as sum up to it; the rate grows while samples come closer than `every`. As Go's block profile, whose rate is fixed.
class pace {
 public:
  void begin(nanos every) noexcept {
    m_every.store(every, memory_order_relaxed);
    m_rate.store(every, memory_order_relaxed);
    m_last.store(0, memory_order_relaxed);
  }

  // What a sample of this length stands for; 0: none is taken. Relaxed: a rate that is a moment old is as good.
  double take(dice& d, double length, nanos now) noexcept {
    const nanos every = m_every.load(memory_order_relaxed);
    if (every == 0) return 1;
    const auto rate = static_cast<double>(m_rate.load(memory_order_relaxed));
    const double chance = length / rate;
    if (chance < 1 && !d.strikes(chance)) return 0;
    const nanos since = now - m_last.exchange(now, memory_order_relaxed);
    if (since < every) {
      m_rate.store(static_cast<nanos>(std::min(rate * 2, 1e12)), memory_order_relaxed);
    } else if (since > 4 * every) {
      m_rate.store(std::max(static_cast<nanos>(rate / 2), every), memory_order_relaxed);
    }
    return chance < 1 ? 1 / chance : 1;
  }

 private:
  atomic<nanos> m_every{0}, m_rate{0}, m_last{0};
};

}  // namespace mortise::inline MORTISE_ABI::insight
