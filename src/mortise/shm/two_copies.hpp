#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <type_traits>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/cache_line.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// A value in shared memory that is old or new and never a mix, wherever its writer is killed. Writers come one at a time: they hold
// the region's lock. Lies in memory that is never unmapped while it is used; begins as zeroes and a value.
//
// 1. Promise     whoever reads, under the lock or without it, sees what one commit() wrote, whole. A writer that is killed before the
//                store that is its commit has changed nothing; killed behind it, all. try_read() never waits: it fails only where a
//                writer has committed meanwhile, in each of its attempts
// 2. Word        m_commits, exact: how many there were; copy m_commits & 1 is the value, the other one is scrap
// 3. States      commit: fills the scrap, then one store makes it the value and the old value scrap. Killed while it fills: still
//                scrap, which the next writer fills anew. There is nothing to repair
// 4. Invariants  I1: the copy that m_commits names is written by nobody. I2: m_commits is written under the lock only. I3: whatever
//                m_commits says, an index is n & 1, so that a number that a peer has forged leads nowhere else
// 5. Orderings   O1 m_commits, release store in commit <-> acquire load in try_read: publishes the copy that it names. Weaker: the number is
//                   seen before the words
//                O2 words, release store <-> acquire load (seqlock, without fences, which ThreadSanitizer does not know): who sees a word
//                   of commit n + 2 in the copy of commit n then sees m_commits >= n + 1 in its second look, since the writer of n + 2
//                   got the lock from that of n + 1. Weaker on either side: the second look may come first, and the mix is not noticed. On
//                   x86 both are plain moves
//                O3 the second look, relaxed: O2 has ordered it, and nothing is read on its word
//                O4 under the lock all is relaxed or plain: the lock orders it
// 6. Last touch  the store of m_commits; the object is never destroyed
// 7. Wake ledger none: nobody sleeps here
// 8. Evidence    two_copies_model.cpp (with controls that O2 and the second look are needed), two_copies_test.cpp, which kills a writer at
//                every instruction. Source: L. Lamport, "Concurrent reading and writing", 1977; H. Boehm, "Can seqlocks get along with
//                programming language memory models?", 2012
template <class T>
class two_copies {
  static_assert(std::is_trivially_copyable_v<T>);
  friend class two_copies_probe;  // tests: a writer that is killed half-way

 public:
  // Copies of up to 256 bytes are made of atomic words, so that they can be read while a writer is about. Larger ones are bytes.
  static constexpr bool is_read_without_lock = sizeof(T) <= 256;

  explicit two_copies(const T& initial) noexcept { fill(m_copies[0], initial); }
  two_copies(const two_copies&) = delete;
  two_copies& operator=(const two_copies&) = delete;

  // Anybody, without the lock. Empty: writers committed meanwhile, `attempts` times in a row. Cost: a load for 8 bytes, and two.
  std::optional<T> try_read(int attempts = 8) const noexcept
    requires is_read_without_lock
  {
    while (attempts-- > 0) {
      const std::uint64_t n = m_commits.load(memory_order_acquire);  // O1
      const words seen = load(m_copies[n & 1], memory_order_acquire);
      if (m_commits.load(memory_order_relaxed) == n) return value_of(seen);  // O3
    }
    return std::nullopt;
  }

  // Who holds the lock: the value, a copy where it is made of words, else in place: a const T& that is good as long as the lock is held
  // and commit() is not called.
  decltype(auto) latest() const noexcept {
    const copy& c = m_copies[m_commits.load(memory_order_relaxed) & 1];  // O4
    if constexpr (is_read_without_lock) {
      return value_of(words_under_lock(c));
    } else {
      return *std::launder(reinterpret_cast<const T*>(c.data()));
    }
  }

  // Who holds the lock: `value` is the value from now on. Requires: it is not in here.
  void commit(const T& value) noexcept {
    fill(m_copies[(m_commits.load(memory_order_relaxed) + 1) & 1], value);  // O4, keeps I1
    publish();
  }

  std::uint64_t commits() const noexcept { return m_commits.load(memory_order_acquire); }  // as O1

 private:
  static constexpr std::size_t word_count = (sizeof(T) + 7) / 8;
  using words = std::array<std::uint64_t, word_count>;
  struct alignas(alignof(T) > cache_line ? alignof(T) : cache_line) bytes
      : std::array<unsigned char, sizeof(T)> {};
  using copy = std::conditional_t<is_read_without_lock, std::array<atomic<std::uint64_t>, word_count>, bytes>;

  static T value_of(const words& from) noexcept {
    std::array<unsigned char, sizeof(T)> to;
    std::memcpy(to.data(), from.data(), sizeof(T));
    return std::bit_cast<T>(to);
  }

  static words load(const copy& c, std::memory_order order) noexcept {
    words to;
    for (std::size_t i = 0; i < word_count; ++i) to[i] = c[i].load(order);  // O2; O4: relaxed
    return to;
  }

  // O4: nobody writes them meanwhile, so that they may be taken as what they are, some bytes. Word by word they would still be on their
  // way to memory when the closure looks at several at once, and it would have to wait for them: 4 ns of an update's 20 (EPYC, November 2026,
  // processes_update).
  static words words_under_lock(const copy& c) noexcept {
    if constexpr (MORTISE_IS_MODEL || sizeof(copy) != sizeof(words)) {
      return load(c, memory_order_relaxed);
    } else {
      words to;
      std::memcpy(to.data(), static_cast<const void*>(&c), sizeof to);
      return to;
    }
  }

  // The first `parts` words; fewer than all: killed there.
  static void fill(copy& c, const T& value, std::size_t parts = word_count) noexcept {
    if constexpr (is_read_without_lock) {
      words from{};
      std::memcpy(from.data(), &value, sizeof(T));
      for (std::size_t i = 0; i < parts; ++i) c[i].store(from[i], memory_order_release);  // O2
    } else {
      std::memcpy(c.data(), &value, sizeof(T));
    }
  }

  void publish() noexcept {
    m_commits.store(m_commits.load(memory_order_relaxed) + 1, memory_order_release);  // O4, O1, keeps I2
  }

  atomic<std::uint64_t> m_commits{0};
  copy m_copies[2]{};
};

#if !MORTISE_IS_MODEL
static_assert(atomic<std::uint64_t>::is_always_lock_free);  // and so fit for shared memory
#endif

}  // namespace mortise::inline MORTISE_ABI::shm
