#pragma once

#include <mortise/base/abi.hpp>

#if MORTISE_IS_CHECKED

#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <mortise/base/stack_trace.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::lock_detail {

// That a lock was waited for while another one was held.
struct step {
  const void* before = nullptr;  // was held
  const void* after = nullptr;   // was waited for
  wait::party kind = wait::party::thread;
  unsigned long who = 0;
  stack_trace where;
  // The locks that the party held alone, each time that this was seen; `before` is one of them, unless it was shared. Two that hold one of
  // them cannot be at it at once. Empty: nothing keeps them apart.
  std::vector<const void*> alone;
  std::uint64_t in_hold =
      0;  // 0: it stands; else the hold of `before` that it depends on, which may turn out to be somebody else's
  bool declared = false;
  bool reported = false;
};

// The orders in which locks were taken: a graph with a step for each pair. Not for several threads at once.
//
// A cycle of steps is a deadlock that has not happened yet, if different parties can be at all of its steps at the same time: if no two of
// them say the same lock in `alone` (K. Havelund's GoodLock algorithm, SPIN 2000, and S. Bensalem's of 2005 for more than two locks).
class lock_graph {
 public:
  // Whether there is something to be learned of `s`, whose `where` need not be known for that.
  bool is_news(const step& s) const;

  // Adds it, or what it says beyond what was known. Returns the cycle that it closes, itself first; empty: none, or that was reported.
  std::vector<step> add(step s);

  void waive(const void* lock);
  void forget(const void* lock);  // it is destroyed: what is made at its address is another lock

  // What was seen in a hold that has turned out to be another party's.
  void forget_steps(const void* before, std::uint64_t in_hold);

 private:
  struct node {
    bool waived = false;
    std::unordered_map<const void*, step> after;
    std::unordered_set<const void*> before;
    mutable std::uint64_t seen_by = 0;  // the last search that was here in vain, or is
  };

  std::vector<step> cycle(const step& closing) const;
  void clear(const void* lock, node& n);

  std::unordered_map<const void*, node> m_locks;
  mutable std::uint64_t m_searches = 0;
};

}  // namespace mortise::inline MORTISE_ABI::lock_detail

#endif
