#pragma once

// For models of what is above it: a lock that wakes one of those who sleep on it, with the words by which a keeper and others find each other
// as in the real one. Nobody looks again by himself here, so that a wake that is lost is for ever.

#include <cstdint>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/base/futex.hpp>
#include <mortise/shm/participants.hpp>
#include <mortise/wait/offer.hpp>

namespace mortise::inline MORTISE_ABI::shm {

class outer_lock {
 public:
  bool try_take_fast() noexcept {
    std::uint32_t w = free;
    return m_word.compare_exchange_strong(w, taken, memory_order_acquire, memory_order_relaxed);
  }
  bool try_take() noexcept { return try_take_fast(); }
  using question = bool (*)(const void* whose) noexcept;
  bool take_while(question wanted, const void* whose) noexcept {
    if (try_take_fast()) return true;
    nudge();
    while (m_word.exchange(slept_on, memory_order_acquire) != free) {
      futex_wait(m_word, slept_on, never);
      if (!wanted(whose)) return false;
    }
    if (m_gave_way.load(memory_order_relaxed) != 0) {
      m_gave_way.store(0, memory_order_relaxed);
      futex_wake(m_gave_way, 1);
    }
    return true;
  }
  void take() noexcept {
    take_while([](const void*) noexcept { return true; }, nullptr);
  }
  void release() noexcept {
    if (m_word.exchange(free, memory_order_release) == slept_on) futex_wake(m_word, 1);
  }
  void release_to_others() noexcept {
    m_gave_way.store(1, memory_order_relaxed);
    release();
    futex_wait(m_gave_way, 1, now_ns() + wait::patience);
  }

  static std::uint32_t number_of_this_thread() noexcept { return 1; }
  bool is_free_or_of(std::uint32_t) const noexcept { return m_word.load(memory_order_relaxed) == free; }

  void begin_section(participant_id me) noexcept {
    m_token.store(m_token.load(memory_order_relaxed) + 1, memory_order_relaxed);
    m_holder.store(me, memory_order_relaxed);
  }
  void end_section() noexcept { m_holder.store(0, memory_order_release); }

  void keep(participant_id me) noexcept { m_kept.store(me, memory_order_seq_cst); }
  void keep_no_more() noexcept { m_kept.store(0, memory_order_release); }
  bool is_in_section_of(participant_id me) const noexcept {
    return m_holder.load(memory_order_relaxed) == me;
  }
  std::uint64_t sections() const noexcept { return m_token.load(memory_order_relaxed); }
  std::uint32_t nudges() const noexcept { return m_nudge.load(memory_order_seq_cst); }
  void sleep_until_nudged(std::uint32_t seen, nanos deadline) const noexcept {
    futex_wait(m_nudge, seen, deadline);
  }
  void nudge() noexcept {
    m_nudge.fetch_add(1, memory_order_seq_cst);
    if (m_kept.load(memory_order_seq_cst) != 0) futex_wake(m_nudge, 1);
  }
  bool others_sleep() const noexcept { return m_word.load(memory_order_relaxed) == slept_on; }

 private:
  enum : std::uint32_t { free, taken, slept_on };
  atomic<std::uint32_t> m_word{free}, m_nudge{0}, m_gave_way{0}, m_kept{0}, m_holder{0};
  atomic<std::uint64_t> m_token{0};
};

}  // namespace mortise::inline MORTISE_ABI::shm
