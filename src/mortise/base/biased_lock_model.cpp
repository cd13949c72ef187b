// The biased lock under every schedule, with x86's store buffers and with stale values: its owner has no fence of its own.
#include <mortise/base/biased_lock.hpp>

#include <explore/shared_section.hpp>
#include <explore/verify.hpp>

namespace {

using explore::require;
using explore::scoped_thread;
using section = explore::shared_section<mortise::biased_lock>;

void as_peer(section& s, int& entered) {
  if (!s.m.try_lock_as_peer()) return;
  s.pass();
  s.m.unlock_as_peer();
  ++entered;
}

// The bug: the owner's flag is still in its store buffer when the peer looks, or the peer's when the owner looks.
EXPLORE(biased_lock, owner_and_peer_exclude_each_other, {.preemptions = 4, .deviations = 3}) {
  section s;
  int entered = 0;
  scoped_thread peer{"peer", [&] { as_peer(s, entered); }};
  s.lock_and_pass();
  peer.join();
  require(s.passed == 1 + entered, "the owner came in, and the peer if it says so");
}

EXPLORE(biased_lock, owner_comes_again, {.preemptions = 3, .deviations = 2}) {
  section s;
  int entered = 0;
  scoped_thread peer{"peer", [&] { as_peer(s, entered); }};
  s.lock_and_pass();
  s.lock_and_pass();
  peer.join();
  require(s.passed == 2 + entered, "all came in");
}

// The bug: two peers inside at once.
EXPLORE(biased_lock, owner_and_two_peers, {.preemptions = 3, .deviations = 2}) {
  section s;
  int one = 0, other = 0;
  scoped_thread a{"a", [&] { as_peer(s, one); }};
  scoped_thread b{"b", [&] { as_peer(s, other); }};
  s.lock_and_pass();
  a.join();
  b.join();
  require(s.passed == 1 + one + other, "all came in");
}

// The bug: where the kernel has no membarrier, flags that are looked at before they are seen (D1', D2').
EXPLORE(biased_lock, without_membarrier_both_fence,
        {.preemptions = 4, .deviations = 3, .membarrier = false}) {
  section s;
  int entered = 0;
  scoped_thread peer{"peer", [&] { as_peer(s, entered); }};
  s.lock_and_pass();
  s.lock_and_pass();
  peer.join();
  require(s.passed == 2 + entered, "all came in");
}

// Control: the same with a fence where membarrier stands, on the peer's side alone (D2).
struct fenced_on_one_side {
  mortise::atomic<bool> owner{false}, peer{false};
  void lock() {
    for (int turns = 0;;) {
      owner.store(true, std::memory_order_relaxed);
      mortise::compiler_fence();
      if (!peer.load(std::memory_order_acquire)) return;
      owner.store(false, std::memory_order_release);
      while (peer.load(std::memory_order_relaxed)) mortise::spin_for_another(turns);
    }
  }
  void unlock() { owner.store(false, std::memory_order_release); }
  bool try_lock_as_peer() {
    peer.store(true, std::memory_order_seq_cst);
    explore::memory::instance().fence_seq_cst();
    if (!owner.load(std::memory_order_acquire)) return true;
    peer.store(false, std::memory_order_release);
    return false;
  }
  void unlock_as_peer() { peer.store(false, std::memory_order_release); }
};
EXPLORE_FAULT(biased_lock, a_fence_on_the_peers_side_alone_does_not_do, "data race|one holder",
              {.deviations = 2}) {
  explore::shared_section<fenced_on_one_side> s;
  scoped_thread peer{"peer", [&] {
                       if (!s.m.try_lock_as_peer()) return;
                       s.pass();
                       s.m.unlock_as_peer();
                     }};
  s.lock_and_pass();
  peer.join();
}

}  // namespace
