#pragma once

#include <cerrno>
#include <cstdint>

#include <pthread.h>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/shm/lock_block.hpp>
#include <mortise/shm/participants.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// The lock of a region, for the operating system's threads: a robust mutex, which belongs to the thread that took it, notes beside it for
// who comes after a death, and a bound on how often one is passed. The algorithm is explained in outer_lock.cpp.
class outer_lock {
 public:
  outer_lock(lock_block& block, participants& members) noexcept : m_block{block}, m_members{members} {}
  outer_lock(const outer_lock&) = delete;
  outer_lock& operator=(const outer_lock&) = delete;

  // Takes the lock, if it is free and nobody has waited for long. Requires: this process is a participant.
  bool try_take_fast() noexcept {
    if (m_block.request.load(memory_order_relaxed) != 0) return false;  // O5
    return took(::pthread_mutex_trylock(&m_block.lock));
  }

  // The same; where nothing but a keeper that lingers, or one who has waited for long and does not come, is in the way, it waits for
  // them, 3 ms at most.
  bool try_take() noexcept { return try_take_fast() || try_take_slow(); }

  // Waits until the calling thread has the lock, `deadline` has come, or `wanted(whose)` is false, which is looked at now and then.
  bool take(nanos deadline) noexcept {
    return try_take_fast() || take_slow(deadline, [](const void*) noexcept { return true; }, nullptr);
  }
  using question = bool (*)(const void* whose) noexcept;
  bool take_while(question wanted, const void* whose) noexcept {
    return try_take_fast() || take_slow(never, wanted, whose);
  }

  // Whether the calling thread has it. For messages.
  MORTISE_API bool is_taken_by_this_thread() const noexcept;

  // Whether the lock is free, or that thread has it. A hint: it may be otherwise by now.
  MORTISE_API static std::uint32_t number_of_this_thread() noexcept;
  MORTISE_API bool is_free_or_of(std::uint32_t thread) const noexcept;

  // Requires: the calling thread took it.
  void release() noexcept {
    if (const int error = ::pthread_mutex_unlock(&m_block.lock); error != 0) [[unlikely]]
      cannot_release(error);
  }

  struct section {
    std::uint64_t token;
    bool owner_died;
  };

  // By who holds the lock, or represents who holds it: what follows is a section of `me`, until its end or the end of its process.
  section begin_section(participant_id me) noexcept {
    const std::uint64_t token = m_block.token.load(memory_order_relaxed) + 1;  // O3
    m_block.token.store(token, memory_order_relaxed);                          // O3
    m_block.holder.store(me, memory_order_relaxed);                            // O4
    compiler_fence();  // O4: no store of the section comes before the note
    section s{token, false};
    if (m_block.died.load(memory_order_relaxed) != 0) [[unlikely]] {  // O3
      s.owner_died = true;
      m_block.died.store(0,
                         memory_order_release);  // O4: told once; a death from here on is this section's own
    }
    return s;
  }
  void end_section() noexcept { m_block.holder.store(0, memory_order_release); }  // O4

  // For a keeper, which holds the lock while sections of others go on under it.
  void keep(participant_id me) noexcept { m_block.kept.store(me, memory_order_seq_cst); }  // O2
  void keep_no_more() noexcept { m_block.kept.store(0, memory_order_release); }            // O4
  // Whose section is running, or else whose keeper has the lock; 0: nobody's. For who looks.
  participant_id holder() const noexcept {
    const participant_id in_section = m_block.holder.load(memory_order_relaxed);
    return in_section != 0 ? in_section : m_block.kept.load(memory_order_relaxed);
  }
  bool is_in_section_of(participant_id me) const noexcept {
    return m_block.holder.load(memory_order_relaxed) == me;  // O4: a hint
  }
  std::uint64_t sections() const noexcept { return m_block.token.load(memory_order_relaxed); }  // O3
  std::uint32_t nudges() const noexcept { return m_block.nudge.load(memory_order_seq_cst); }    // O2
  MORTISE_API void sleep_until_nudged(std::uint32_t seen, nanos deadline) const noexcept;
  MORTISE_API void nudge() noexcept;
  // Whether somebody sleeps on the lock. May over-report, and under-report who is on the way to sleep.
  MORTISE_API bool others_sleep() const noexcept;
  // Lets go, and waits for 1 ms at most until one of those who slept has come.
  MORTISE_API void release_to_others() noexcept;

 private:
  bool took(int error) noexcept {
    if (error == 0) [[likely]]
      return true;
    return error != EBUSY && took_slow(error);
  }
  MORTISE_API bool took_slow(int error) noexcept;
  MORTISE_API bool take_slow(nanos deadline, question wanted, const void* whose) noexcept;
  MORTISE_API bool try_take_slow() noexcept;
  [[noreturn]] MORTISE_API void cannot_release(int error) const noexcept;
  std::uint32_t word() const noexcept;
  void recover() noexcept;
  void free_if_orphaned() noexcept;
  bool wait_at_gate(nanos until) noexcept;
  void leave_gate() noexcept;

  lock_block& m_block;
  participants& m_members;
};

}  // namespace mortise::inline MORTISE_ABI::shm
