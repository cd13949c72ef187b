// One word for each address that a lock may have, modulo 64 MiB, in pages that are there only where locks are.
//
// 1. Promise     what it says of a lock is true: who it names took the lock, and had not begun to unlock it when it was read. It may say nothing.
// 2. Word        the party's parker, without its six zeros, and of the lock's address the bits that the place in the table does not tell. 0: not known.
// 3. States      not known --lock--> held by a party --unlock--> not known; a lock at the same place modulo the table's size takes the word over
// 4. Invariants  I1: only who holds a lock writes its word, after it took it and before it frees it. So two who write one word hold two locks,
//                    and each strikes out only what is its own.
// 5. Orderings   relaxed all but O2 and O3: a word is whole, and tells of nothing else.
//                O1 a barrier in all threads, after everything was shut: whoever wrote before it is cleared, with what is left from when it was kept
//                   before; whoever writes after it finds the unlock shut, and strikes out. Where the kernel grants none (base/membarrier.hpp)
//                   an unlock that was under way just then may leave its word for true until the next lock.
//                O2 `told` is set after the clearing (release) and read before the word (acquire): what was left from before is not told. It is taken
//                   back, and a fence made, before unlocks go untold; who looks reads it again after the word (acquire), which such an unlock and
//                   the lock after it have come to him through: he sees it taken back. The unlocker's look at what is shut is a relaxed load
//                   before his release, which carries it on wherever stores become visible to all others at once (docs/design/orderings.md).
//                O3 writing a holder down is a release, reading it an acquire: who looks on asks the parker who it is, and finds it made
// 6. Last touch  the table is never given back: one who writes may come late.
// 7. Wake ledger none
// 8. Evidence    holder_table_test.cpp, insight/deadlock_test.cpp
#include <mortise/lock/holder_table.hpp>

#if !MORTISE_IS_MODEL

#include <mortise/base/cache_line.hpp>
#include <mortise/base/fork.hpp>
#include <mortise/base/gdb_facts.hpp>
#include <mortise/base/membarrier.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/pointer_bits.hpp>
#include <mortise/base/process_global.hpp>
#include <mortise/base/restartable.hpp>
#include <mortise/lock/holder.hpp>
#include <mortise/lock/takers.hpp>
#include <mortise/wait/observer.hpp>

#if !MORTISE_IS_CHECKED

#include <sys/mman.h>

#include <bit>
#include <cstdint>
#include <mutex>

namespace mortise::inline MORTISE_ABI::lock_detail {
namespace {

// Both addresses fit: of the lock's what is above its three zeros, of the parker's what is above six.
constexpr unsigned lock_bits = pointer_bits - 3, parker_zeros = std::countr_zero(cache_line);
constexpr unsigned tag_bits = 64 - (pointer_bits - parker_zeros), place_bits = lock_bits - tag_bits;
constexpr std::size_t bytes = (std::size_t{1} << place_bits) * sizeof(std::uint64_t);

struct counted {
  os_mutex guard;
  unsigned readers = 0;
};
constinit process_global<counted> keeping;

// hold_over_forks would do, but for the takers' locks, which are taken inside: those have to be there first, so that a fork takes them last.
[[maybe_unused]] const bool held_since_load = [] {
  forget_takers();
  at_fork([] { keeping->guard.lock(); }, [] { keeping->guard.unlock(); }, [] { keeping->guard.unlock(); });
  return true;
}();

constinit atomic<atomic<std::uint64_t>*> table{
    nullptr};  // release <-> acquire, though the kernel has made it long before

// 0, or how often it was begun. O2
constinit atomic<unsigned> told{0};
unsigned times_begun = 0;  // under the guard

struct place {
  atomic<std::uint64_t>* word;  // null: there is none
  std::uint64_t tag;
};
place place_of(const void* lock) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(lock);
  auto* const all = table.load(memory_order_acquire);
  if (all == nullptr || address >> pointer_bits != 0) return {nullptr, 0};
  const std::uint64_t number = address >> 3;
  return {all + (number & ((std::uint64_t{1} << place_bits) - 1)), number >> place_bits};
}
constexpr std::uint64_t tag_of(std::uint64_t word) noexcept {
  return word & ((std::uint64_t{1} << tag_bits) - 1);
}

}  // namespace

constinit atomic<bool> holders_are_kept{false};

void write_down_holder(const void* lock, const wait::parker& who) noexcept {
  const place p = place_of(lock);
  if (p.word == nullptr) return;
  const auto address = reinterpret_cast<std::uintptr_t>(&who);
  const bool fits =
      address % cache_line == 0 && address >> pointer_bits == 0;  // else it is another library's
  p.word->store(fits ? address << (tag_bits - parker_zeros) | p.tag : 0, memory_order_release);  // O3
}

void strike_out_holder(const void* lock) noexcept {
  const place p = place_of(lock);
  if (p.word == nullptr) return;
  const std::uint64_t w = p.word->load(memory_order_relaxed);
  // Of another lock that comes between, nothing is known then: not worth an RMW.
  if (w != 0 && tag_of(w) == p.tag) p.word->store(0, memory_order_relaxed);
}

unsigned holders_told() noexcept { return told.load(memory_order_acquire); }  // O2

std::optional<holder_seen> holder_of(const void* lock) {
  const place p = place_of(lock);
  const unsigned time = holders_told();
  if (p.word == nullptr || time == 0) return std::nullopt;
  const std::uint64_t w = p.word->load(memory_order_acquire);  // O2, O3
  if (w == 0 || tag_of(w) != p.tag || holders_told() != time) return std::nullopt;
  const auto* const who = reinterpret_cast<const wait::parker*>(w >> tag_bits << parker_zeros);
  if (wait::is_for_one_wait(*who)) return holder_seen{nullptr, "a task of another library"};
  return holder_seen{who, {}};
}

void keep_holders() noexcept {
  const std::lock_guard hold{keeping->guard};
  if (keeping->readers++ != 0) return;
  if (table.load(memory_order_relaxed) == nullptr) {
    void* const made =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (made == MAP_FAILED) return;
    table.store(static_cast<atomic<std::uint64_t>*>(made), memory_order_release);
  }
  holders_are_kept.store(true, memory_order_relaxed);
  restartable::shut(true);
  if (membarrier_available()) membarrier();  // O1
  // With what is wrong what is true goes, too: that is known again from the next lock on.
  ::madvise(table.load(memory_order_relaxed), bytes, MADV_DONTNEED);
  forget_takers();
  told.store(++times_begun, memory_order_release);  // O2
}

void forget_holders() noexcept {
  const std::lock_guard hold{keeping->guard};
  if (--keeping->readers != 0 || !keeps_holders()) return;
  told.store(0, memory_order_relaxed);
  std::atomic_thread_fence(memory_order_seq_cst);  // O2
  restartable::shut(false);
  holders_are_kept.store(false, memory_order_relaxed);
}

}  // namespace mortise::inline MORTISE_ABI::lock_detail

namespace mortise::inline MORTISE_ABI {

const gdb_fact gdb_holders[] = {
    {"held.is_kept", 0, &lock_detail::holders_are_kept}, {"held.table", 0, &lock_detail::table},
    {"held.place_bits", lock_detail::place_bits},        {"held.tag_bits", lock_detail::tag_bits},
    {"held.parker_zeros", lock_detail::parker_zeros},    {nullptr}};

}  // namespace mortise::inline MORTISE_ABI

#else

namespace mortise::inline MORTISE_ABI::lock_detail {
void keep_holders() noexcept {}
void forget_holders() noexcept {}
unsigned holders_told() noexcept { return 1; }
}  // namespace mortise::inline MORTISE_ABI::lock_detail

#endif
#endif
