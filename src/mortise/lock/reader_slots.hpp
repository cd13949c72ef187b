#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <mortise/base/atomic.hpp>
#include <mortise/base/cache_line.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::lock_detail {

// Where the readers of one shared_mutex are counted once they have got into each other's way: each thread in a line of its own. Recycled,
// never freed: a reader that leaves touches its slots after the lock may be gone.
//
// 1. Promise     while no reader may enter, the sum of the slots and of the lock's own count is at least the number of readers inside, and
//                that number once no one is on his way in or out
// 2. Word        a slot: who entered less who left here; negative where a reader has left on another thread than it came in on
//                drainer: the parker of the writer that waits for the sum to be 0, or null
// 3. States      enter + 1, leave - 1; a reader that finds a writer takes its 1 back, in the same slot
// 4. Invariants  I1: a reader's + 1 is there before it is inside, its - 1 comes after it
// 5. Orderings   O1 Dekker: a reader adds, then looks at the lock's word; a writer changes the word, then sums. O2 Dekker: a reader
//                subtracts, then looks at the drainer; a writer names itself, then sums. All four are sequentially consistent
//                O3 the subtraction is a release <-> the sum is an acquire: what readers did is over before the writer
// 6. Last touch  leave: the look at the drainer, which is here and not in the lock
// 7. Wake ledger a reader that leaves and finds the sum 0 owes the drainer a wake
// 8. Evidence    shared_mutex_model.cpp, shared_mutex_slots_test.cpp. Sources: Linux' percpu_rw_semaphore (the sum, the pair of
//                fences), D. Dice, A. Kogan, "BRAVO", ATC 2019 (readers in memory of their own until a writer comes)
struct reader_slots {
  static constexpr std::size_t count = MORTISE_IS_MODEL ? 2 : 32;
  struct alignas(cache_line) slot {
    atomic<std::int64_t> readers{0};
  };
  std::array<slot, count> of_thread;
  atomic<wait::parker*> drainer{nullptr};
  std::uint32_t index = 0;
  reader_slots* next_free = nullptr;

  // The caller's. Never inlined: a fiber may change threads.
  [[gnu::noinline]] slot& mine() noexcept;

  std::int64_t sum() const noexcept {
    std::int64_t n = 0;
    for (const slot& s : of_thread) n += s.readers.load(memory_order_seq_cst);  // O1, O2, O3
    return n;
  }

  void enter() noexcept { mine().readers.fetch_add(1, memory_order_seq_cst); }  // O1
  void leave() noexcept { leave(mine()); }
  void leave(slot& s) noexcept {
    s.readers.fetch_sub(1, memory_order_seq_cst);  // O2, O3
    wait::parker* const writer = drainer.load(memory_order_seq_cst);  // O2
    if (writer != nullptr && sum_may_be_zero()) writer->unpark();
  }

  // At least as good as the writer's own look, which also knows the lock's count.
  bool sum_may_be_zero() const noexcept { return sum() + base.load(memory_order_relaxed) == 0; }
  // The readers that were counted in the lock's word when the slots came into use; constant until they are given back.
  atomic<std::int64_t> base{0};
};

// 0: there are none to be had (4095 locks have some, or no memory); the lock goes on without.
std::uint32_t take_slots() noexcept;
void give_back_slots(std::uint32_t index) noexcept;
reader_slots& slots_at(std::uint32_t index) noexcept;

}  // namespace mortise::inline MORTISE_ABI::lock_detail
