#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <mortise/base/atomic.hpp>
#include <mortise/base/cache_line.hpp>
#include <mortise/base/membarrier.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/per_thread.hpp>
#include <mortise/base/process_global.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::lock_detail {

// Where the readers of one shared_mutex are counted once they have got into each other's way: 32 threads in a line of their own each, all
// others in one. Recycled, never freed: a reader that leaves touches its slots after the lock may be gone.
//
// 1. Promise     once no reader may enter, and after settle(), the sum of the slots and of the lock's own count is at least the number of
//                readers inside, and that number when no one is on his way in or out
// 2. Word        a slot: who entered less who left here; negative where a reader has left on another thread than it came in on
//                drainer: the parker of the writer that waits for the sum to be 0, or null
// 3. States      enter + 1, leave - 1; a reader that finds a writer takes its 1 back, in the same slot
// 4. Invariants  I1: a reader's + 1 is there before it is inside, its - 1 comes after it. I2: a slot but the first is written by one thread
// 5. Orderings   O1 Dekker: a reader adds, then looks at the lock's word; a writer changes the word, then sums. O2 Dekker: a reader
//                subtracts, then looks at the drainer; a writer names itself, then sums. Readers keep the two in the
//                compiler's order only (signal fence), the writer has a membarrier between (settle): a reader that looked before it has
//                its store seen, one that looks after it sees the writer's. In the first slot, and where there is no
//                membarrier, readers add by sequentially consistent RMW instead
//                O3 the subtraction is a release <-> the sum is an acquire: what readers did is over before the writer
//                O4 of two readers that leave at once and both see the drainer one sees the other's subtraction: RMWs of m_order
// 6. Last touch  leave: the look at the drainer, and what follows, all of it here and not in the lock
// 7. Wake ledger a reader that leaves and finds the sum 0 owes the drainer a wake
// 8. Evidence    shared_mutex_model.cpp, shared_mutex_slots_test.cpp. Sources: Linux' percpu_rw_semaphore (the sum, the pair of barriers), D. Dice,
//                A. Kogan, "BRAVO", ATC 2019 (readers in memory of their own until a writer comes), asymmetric Dekker as in biased_lock.hpp
class reader_slots {
 public:
  void enter() noexcept { add(slot_of_this_thread(), 1); }
  // As the last thing that is done to the lock.
  void leave() noexcept {
    add(slot_of_this_thread(), -1);
    if (m_drainer.load(memory_order_acquire) != nullptr) [[unlikely]]  // O2
      tell_drainer();
  }

  // The writer's side, in a section of the lock. True: `w` was not known before.
  bool set_drainer(wait::parker* w) noexcept {
    return m_drainer.exchange(w, memory_order_seq_cst) != w && w != nullptr;  // O2
  }
  void settle() const noexcept {
    if (m_asymmetric) membarrier();  // O1, O2
  }
  std::int64_t sum() const noexcept {
    std::int64_t n = 0;
    for (const slot& s : m_slots) n += s.readers.load(memory_order_seq_cst);  // O1, O2, O3
    return n;
  }

  // The readers that the lock's word counts; constant once the slots are in use.
  void set_base(std::int64_t n) noexcept { m_base.store(n, memory_order_relaxed); }

 private:
  friend class slots_pool;
  static constexpr std::uint32_t own_slots = MORTISE_IS_MODEL ? 2 : 32;
  struct alignas(cache_line) slot {
    atomic<std::int64_t> readers{0};
  };

  // 0: the first, which is shared. Not for code that may be suspended between two calls: a fiber changes threads.
  static std::uint32_t slot_of_this_thread() noexcept;
  void tell_drainer() noexcept;

  void add(std::uint32_t at, std::int64_t n) noexcept {
    atomic<std::int64_t>& readers = m_slots[at].readers;
    if (at != 0 && m_asymmetric) [[likely]] {
      readers.store(readers.load(memory_order_relaxed) + n, memory_order_release);  // I2, O3
      compiler_fence();                                                             // O1, O2
    } else {
      readers.fetch_add(n, memory_order_seq_cst);  // O1, O2, O3
    }
  }

  const bool m_asymmetric = membarrier_available();
  std::uint32_t m_index = 0;
  atomic<wait::parker*> m_drainer{nullptr};
  atomic<std::int64_t> m_base{0};
  atomic<std::uint32_t> m_order{0};
  reader_slots* m_next_free = nullptr;
  std::array<slot, own_slots + 1> m_slots;
};

// All slots of the process, and the threads' numbers.
class slots_pool {
 public:
  constexpr slots_pool() = default;
  os_mutex guard;

  // 0: there are none to be had (4095 locks have some, or no memory); the lock goes on without.
  std::uint32_t take() noexcept;
  void give_back(reader_slots& s) noexcept;
  reader_slots& at(std::uint32_t index) noexcept { return *m_at[index].load(memory_order_acquire); }

  // A number for a thread, 0 if all are taken. What its slots hold stays for the next one.
  std::uint32_t number() noexcept;
  void give_back_number(std::uint32_t n) noexcept;

 private:
  static constexpr std::uint32_t most = MORTISE_IS_MODEL ? 4 : 4096;  // what 12 bits tell apart
  std::array<atomic<reader_slots*>, most> m_at{};
  reader_slots* m_free = nullptr;
  std::uint32_t m_made = 0;
  std::uint64_t m_numbers = 0;
};
extern process_global<slots_pool> all_slots;

inline constexpr std::uint32_t unknown_number = 0;
inline constexpr std::uint32_t no_number = ~0u;
MORTISE_EXTERN_PER_THREAD(std::uint32_t) reader_number;
std::uint32_t ask_for_number() noexcept;

inline std::uint32_t reader_slots::slot_of_this_thread() noexcept {
  const std::uint32_t n = reader_number;
  if (n == unknown_number || n == no_number) [[unlikely]]
    return n == unknown_number ? ask_for_number() : 0;
  return n;
}

}  // namespace mortise::inline MORTISE_ABI::lock_detail
