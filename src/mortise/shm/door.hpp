#pragma once

#include <cstdint>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/base/futex.hpp>
#include <mortise/lock/call_site.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/wait/subject.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// Where the tasks of one process wait for what their keeper takes for them: a mortise::mutex that is locked while the keeper does not
// have it, and the number of those who want it, on which the keeper sleeps. The algorithm is explained in keeper.cpp.
class door {
 public:
  // `s`: what those who wait here wait for, for who looks on.
  explicit door(wait::subject s) noexcept : m_subject{s} {}

  // One of the tasks. It is counted from before it locks the door until it has unlocked it or given up. Returns whether there is a keeper.
  bool arrive() noexcept {
    const std::uint32_t before = m_word.fetch_add(1, memory_order_acq_rel);  // O7
    if ((before & tell_arrival) != 0) [[unlikely]]
      tell_of_arrival();
    return (before & attended) != 0;
  }
  void depart() noexcept {
    const std::uint32_t before = m_word.fetch_sub(1, memory_order_acq_rel);  // O7
    if ((before & (tell_departure | count)) == (tell_departure | 1)) ring();
  }

  void lock() noexcept { static_cast<void>(lock(wait::bound{never})); }
  bool try_lock() noexcept { return m_mutex.try_lock(); }
  outcome lock(const wait::bound& until) noexcept {
    const bool for_ever = !until.stop().stop_possible() && until.deadline() == never;
    if (for_ever) m_mutex.noted_wait();
    if (!m_mutex.try_fast()) {
      if (const outcome how = lock_slow(until, for_ever); how != outcome::acquired) return how;
    }
    m_mutex.noted();
    return outcome::acquired;
  }
  void unlock() noexcept { m_mutex.unlock(); }

  // How a coroutine gets it (wait/waiting.hpp). `epoch`: in the child of a fork the queue that it stands in is not there.
  class way {
   public:
    explicit way(door& d) noexcept : m_door{&d}, m_epoch{d.m_epoch} {}
    wait::subject subject() const noexcept { return m_door->m_subject; }
    bool try_fast() const noexcept { return m_door->m_mutex.try_fast(); }
    bool take_or_queue(wait::waiter& n) const noexcept { return m_door->m_mutex.take_or_queue(n); }
    bool claim(wait::waiter& n) const noexcept {
      if (is_of_this_process()) return mortise::mutex::exclusive{m_door->m_mutex}.claim(n);
      n.since =
          0;  // a job that the parent had not run yet: nobody here waits, and nobody has anything for it
      return false;
    }
    void leave(wait::waiter& n) const noexcept {
      if (is_of_this_process()) return m_door->m_mutex.leave(n);
      n.since = 0;
    }
    void taken(call_site site) const noexcept { m_door->m_mutex.noted_async(site); }
    bool is_of_this_process() const noexcept { return m_epoch == m_door->m_epoch; }
    door& where() const noexcept { return *m_door; }

   private:
    door* m_door;
    std::uint32_t m_epoch;
  };

 private:
  friend class keeper;
  static constexpr std::uint32_t count = (1u << 28) - 1;
  static constexpr std::uint32_t attended = 1u << 28;      // there is a keeper, and the door was closed by it
  static constexpr std::uint32_t tell_arrival = 1u << 29;  // the next one who arrives rings
  static constexpr std::uint32_t tell_departure = 1u << 30;  // who leaves nobody behind rings
  static constexpr std::uint32_t over = 1u << 31;            // the keeper ends

  MORTISE_API outcome lock_slow(const wait::bound& until, bool for_ever) noexcept;
  MORTISE_API void tell_of_arrival() noexcept;
  MORTISE_API void ring() noexcept;

  mortise::mutex m_mutex;
  atomic<std::uint32_t> m_word{0};
  atomic<std::uint32_t> m_bell{0};  // a futex, counts rings
  std::uint32_t m_epoch = 0;        // forks between the process that made this and this one
  wait::subject m_subject;
};

}  // namespace mortise::inline MORTISE_ABI::shm
