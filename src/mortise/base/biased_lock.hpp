#pragma once

#include <mortise/base/atomic.hpp>
#include <mortise/base/membarrier.hpp>
#include <mortise/base/spin.hpp>

namespace mortise::inline MORTISE_ABI {

// A lock that costs its owner no RMW, for what one thread does all the time and others hardly ever.
//
// 1. Promise     mutual exclusion of the owner and of one peer. The owner waits for a peer that is inside; a peer never
//                waits. Where the kernel has no membarrier the owner pays the RMW
// 2. Word        m_owner, m_peer, exact: inside, or about to look whether the other is
// 3. States      owner: announces, looks, goes in, or takes it back and waits; peer: announces, barrier, looks, goes in or
//                takes it back
// 4. Invariants  I1: m_owner is written by the owner only; I2: m_peer is set by CAS, so there is one peer
// 5. Orderings   Dekker: each stores its own flag, then loads the other's. D1 the owner's store and load are kept in
//                program order for the compiler only (signal fence). D2 the peer's membarrier stands between its store
//                and its load: an owner that loaded before the barrier has its store seen by the peer; one that loads
//                after it sees the peer's. A plain fence on the peer's side alone would not do.
//                aarch64: the owner's load may be done before its store is seen, as on x86; nothing else is assumed
//                D1', D2' without membarrier: both flags are set by sequentially consistent RMWs and looked at by
//                sequentially consistent loads, so that one of the two comes second and sees the other's.
//                D3 each unlock is a release store <-> the other side's acquire load of that flag as free
// 6. Last touch  unlock's store. 7. Wake ledger: none, nobody sleeps
// 8. Evidence    biased_lock_model.cpp, models/biased_lock.pml, runtime_test.cpp (a_hog_among_sleepers_does_not_keep_them), also with membarrier refused
//                (tests/conformance). An RMW for each sleep, which drains the store
//                buffer just after a stack was written, cost 110,000 fibers 30 % (EPYC Zen 5, November 2026).
//                Source: D. Dice, H. Huang, M. Yang, "Asymmetric Dekker synchronization", 2001
class biased_lock {
 public:
  // Owner.
  void lock() noexcept {
    for (int turns = 0;;) {
      if (m_asymmetric) [[likely]] {
        m_owner.store(true, memory_order_relaxed);       // D1
        compiler_fence();                                // D1
        if (!m_peer.load(memory_order_acquire)) return;  // D3
      } else {
        m_owner.exchange(true, memory_order_seq_cst);    // D1'
        if (!m_peer.load(memory_order_seq_cst)) return;  // D1', D3
      }
      m_owner.store(false, memory_order_release);
      while (m_peer.load(memory_order_relaxed)) spin_for_another(turns);
    }
  }
  void unlock() noexcept { m_owner.store(false, memory_order_release); }  // D3

  // Anybody else. False: the owner or another peer is inside.
  bool try_lock_as_peer() noexcept {
    bool expected = false;
    // I2, D2'; acquire: after another peer
    if (!m_peer.compare_exchange_strong(expected, true, memory_order_seq_cst, memory_order_relaxed))
      return false;
    if (m_asymmetric) membarrier();                        // D2
    if (!m_owner.load(memory_order_seq_cst)) return true;  // D2', D3
    m_peer.store(false, memory_order_release);
    return false;
  }
  void unlock_as_peer() noexcept { m_peer.store(false, memory_order_release); }  // D3

 private:
  atomic<bool> m_owner{false};
  atomic<bool> m_peer{false};
  const bool m_asymmetric = membarrier_available();
};

class owner_guard {
 public:
  explicit owner_guard(biased_lock& l) noexcept : m_lock{l} { m_lock.lock(); }
  ~owner_guard() { m_lock.unlock(); }
  owner_guard(const owner_guard&) = delete;
  owner_guard& operator=(const owner_guard&) = delete;

 private:
  biased_lock& m_lock;
};

}  // namespace mortise::inline MORTISE_ABI
