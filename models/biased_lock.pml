// The lock that costs its owner no RMW: base/biased_lock.hpp on x86-TSO.
//
// 1. Promise     shown complete: the owner or one peer is inside. Progress (`served`): the owner gets in, once peers stop
//                coming; while they keep coming it may starve (the variant busy_peers shows it)
// 2. Word        owner, peer: as m_owner, m_peer
// 3. States      the owner locks over and over; PEERS try, once each or with BUSY over and over
// 4. Invariants  I1: only the owner writes `owner`; I2: `peer` is set by CAS
// 5. Orderings   the owner's stores wait in a buffer, in order, and drain at any moment (`buffer`); D2 drains it. The peer's
//                stores are not delayed: each is before an RMW of its own or frees the lock, where later is only longer.
// 6. Last touch  unlock's store. 7. Wake ledger none
// 8. Evidence    variants in README.md. Controls: CONTROL_FENCE_ONLY, CONTROL_LOADS_FIRST; BUSY for `served`

#ifndef PEERS
#define PEERS 2
#endif
#ifdef BUSY
#define again_or_stop skip
#else
#define again_or_stop break
#endif
#define BUFFER 4  // stores; a fifth waits for one to drain

bool owner_flag;
bool peer_flag;
chan buffer = [BUFFER] of { bool };
byte inside;
bool wants;

active proctype drain() {
end_drain:
  do
  :: buffer ? owner_flag
  od
}

active proctype owner() {
  bool seen;
end_owner:
  do
  :: wants = true;
    do
#ifdef CONTROL_LOADS_FIRST  // control: D1 is not kept
    :: seen = peer_flag;
      buffer ! true;
#else
    :: buffer ! true;   //@ base/biased_lock.hpp | m_owner.store(true, memory_order_relaxed);       // D1
      seen = peer_flag;  //@ base/biased_lock.hpp | if (!m_peer.load(memory_order_acquire)) return;  // D3
#endif
      if
      :: !seen -> break
      :: else ->
        buffer ! false;  //@ base/biased_lock.hpp | m_owner.store(false, memory_order_release);
        !peer_flag       //@ base/biased_lock.hpp | while (m_peer.load(memory_order_relaxed)) spin_for_another(turns);
      fi
    od;
    atomic { wants = false; seen = false; inside++; assert(inside == 1) }
    inside--;
    buffer ! false;  //@ base/biased_lock.hpp | void unlock() noexcept { m_owner.store(false, memory_order_release); }  // D3
  :: break
  od
}

active [PEERS] proctype peer() {
  do
  :: atomic { !peer_flag -> peer_flag = true }  //@ base/biased_lock.hpp | if (!m_peer.compare_exchange_strong(expected, true, memory_order_seq_cst, memory_order_relaxed))
#ifndef CONTROL_FENCE_ONLY  // control: a fence on this side only
    atomic {  //@ base/biased_lock.hpp | if (m_asymmetric) membarrier();                        // D2
      do
      :: nempty(buffer) -> buffer ? owner_flag
      :: empty(buffer) -> break
      od
    }
#endif
    if
    :: atomic { !owner_flag -> inside++; assert(inside == 1) }  //@ base/biased_lock.hpp | if (!m_owner.load(memory_order_seq_cst)) return true;  // D2', D3
      inside--
    :: owner_flag
    fi;
    peer_flag = false;  //@ base/biased_lock.hpp | m_peer.store(false, memory_order_release);
    again_or_stop
  :: peer_flag -> again_or_stop  // another peer is there
  od
}

ltl served { [] (wants -> <> !wants) }
