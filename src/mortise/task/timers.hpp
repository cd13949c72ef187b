#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <mortise/base/biased_lock.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/task/task_block.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

// The deadlines of one worker, fired exactly: never early, and late only by what the worker is late.
//
// Near deadlines (134 ms) lie in a wheel of 2,048 slots of 65.5 us, each a chain of array blocks, so that a
// hundred thousand sleepers are walked as arrays. The slot that holds the present is a heap, so that single
// deadlines fire in their order to the nanosecond. Far ones wait in a heap of their own. A deadline is not
// taken out when its task no longer needs it: its round is void then, and the far heap is swept when half of
// it may be void.
//
// Used by its worker's thread only. Cost: some 10 ns to add and to fire, whatever the number; O(log n) for
// far ones. Source: G. Varghese, T. Lauck, "Hashed and hierarchical timing wheels", SOSP 1987.
class timers {
 public:
  timers() = default;
  ~timers();
  timers(const timers&) = delete;
  timers& operator=(const timers&) = delete;

  // Fires for `t` at `deadline`, in t's present round. False when there is no memory: nothing was added.
  bool add(nanos deadline, task_block& t) noexcept;
  // The same for a task that sleeps until then and does nothing else: fires in the round `sleeper`, and is never void.
  bool add_sleeper(nanos deadline, task_block& t) noexcept;
  static constexpr std::uint16_t sleeper = 0xffff;  // no task comes into this round

  // A deadline that was added here has become void. Called by whatever worker's thread.
  void voided() noexcept {
    m_void.fetch_add(1, memory_order_relaxed);
  }  // relaxed: a count that only triggers a sweep

  // Not later than the earliest deadline; costs one load, from any thread.
  nanos next_due() const noexcept { return m_next_due.load(memory_order_relaxed); }

  // The earliest deadline; void ones count. `never` when there is none.
  nanos next() const noexcept;

  bool empty() const noexcept { return next() == never; }
  std::size_t far_size() const noexcept { return m_far.size(); }

  // Calls `fire(task, round, deadline)` for up to `limit` deadlines that are not after `now`. Returns how many.
  template <class Fire>
  unsigned advance(nanos now, unsigned limit, Fire&& fire) noexcept {
    const owner_guard hold{m_lock};
    if (now < next_due()) {
      // Nothing is due, so every slot before the present one is empty.
      m_present = std::max(m_present, slot_number(now) - 1);
      return 0;
    }
    return fire_due(now, limit, fire);
  }

  // The same for a peer, while the owner is stuck. Does nothing if the owner is not.
  template <class Fire>
  unsigned advance_as_peer(nanos now, unsigned limit, Fire&& fire) noexcept {
    if (!m_lock.try_lock_as_peer()) return 0;
    const unsigned fired = fire_due(now, limit, fire);
    m_lock.unlock_as_peer();
    return fired;
  }

 private:
  mutable biased_lock m_lock;  // over all below but m_next_due and m_void

  struct due {
    nanos at;
    std::uint64_t packed;  // 48 bits of task (base/pointer_bits.hpp), 16 of its round
    task_block* task() const noexcept { return reinterpret_cast<task_block*>(packed << 16 >> 16); }
    std::uint16_t round() const noexcept { return static_cast<std::uint16_t>(packed >> 48); }
  };
  struct later {
    bool operator()(const due& a, const due& b) const noexcept { return a.at > b.at; }
  };
  struct block {
    static constexpr unsigned capacity = 62;
    block* next = nullptr;
    unsigned used = 0;
    unsigned taken = 0;
    due entries[capacity];
  };
  struct slot {
    block* first = nullptr;
    block* last = nullptr;
    nanos earliest = never;
  };

  static constexpr unsigned prefetched = 8;  // entries ahead
  static constexpr unsigned slot_bits = 16;  // 65,536 ns
  static constexpr unsigned slots = 2048;
  static std::int64_t slot_number(nanos t) noexcept { return t >> slot_bits; }
  slot& slot_of(std::int64_t number) noexcept { return m_wheel[static_cast<std::uint64_t>(number) % slots]; }

  template <class Fire>
  unsigned fire_due(nanos now, unsigned limit, Fire& fire) noexcept {
    unsigned fired = 0;
    while (fired < limit) {
      const due* d = pop(now);
      if (d == nullptr) break;
      fire(*d->task(), d->round(), d->at);
      ++fired;
    }
    return fired;
  }
  nanos earliest() const noexcept;
  const due* pop(nanos now) noexcept;
  const due* take_from(std::vector<due>& heap) noexcept;
  const due* take_from_slot(std::int64_t number) noexcept;
  bool put(const due& d) noexcept;
  bool put_into_slot(const due& d) noexcept;
  bool open_slot(std::int64_t number) noexcept;
  static constexpr std::int64_t none = -1;
  std::int64_t next_filled(std::int64_t from, std::int64_t to) const noexcept;
  void set_filled(std::int64_t number, bool filled) noexcept;
  void sweep() noexcept;

  std::int64_t m_present =
      slot_number(now_ns());        // slots up to this one are empty, their deadlines lie in m_soon
  atomic<nanos> m_next_due{never};  // not later than the earliest deadline
  std::vector<due> m_soon;          // heap: deadlines up to the present slot
  std::vector<due> m_far;           // heap: deadlines beyond the wheel when they were added
  atomic<std::size_t> m_void{0};
  block* m_free = nullptr;
  due m_popped{};
  slot m_wheel[slots];
  std::uint64_t m_filled[slots / 64] = {};
};

}  // namespace mortise::inline MORTISE_ABI::task_detail
