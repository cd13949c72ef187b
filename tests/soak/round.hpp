#pragma once

// One round: its parties, and what they share. The parties are in blocking_party.cpp, async_party.cpp and relay.cpp.

#include <atomic>

#include <mortise/mortise.hpp>
#include <support/foreign_loop.hpp>

#include "ledger.hpp"
#include "plan.hpp"

namespace soak {

using foreign_loop = foreign::loop;

// Counts what nobody joins. Outlives the rounds, since the last to leave still wakes.
class crowd {
 public:
  void enter() noexcept { m_n.fetch_add(1, std::memory_order_relaxed); }
  void leave() noexcept {
    // release: pairs with empty's acquire, what the parties did is seen by who goes on after them
    if (m_n.fetch_sub(1, std::memory_order_acq_rel) == 1) m_n.notify_all();
  }
  void wait_until_empty() noexcept {
    for (int n; (n = m_n.load(std::memory_order_acquire)) != 0;) m_n.wait(n, std::memory_order_acquire);
  }

 private:
  std::atomic<int> m_n{0};
};

struct round {
  const round_plan& plan;
  totals& counted;
  mortise::runtime& runtime;
  foreign_loop& loop;
  crowd& unjoined;
  std::atomic<bool> stopped{false};

  bool over() const noexcept { return stopped.load(std::memory_order_relaxed); }  // only ends loops
  dice dice_of(kind k, unsigned n) const noexcept {
    return dice{plan.seed ^ (std::uint64_t{n} << 8 | static_cast<unsigned>(k)) * 0x2545F4914F6CDD1D};
  }

  // The mutex for the i-th acquisition of a burst, by a party whose own is `home`.
  unsigned choose(unsigned home, unsigned i, dice& d) const noexcept {
    if (plan.crowded) return plan.cells == 1 ? 0 : d.below(plan.cells);
    return (i & 15) == 9 ? d.below(shared_cells) : home;
  }
  unsigned home_of(unsigned party) const noexcept {
    return plan.crowded ? 0 : shared_cells + party % (plan.cells - shared_cells);
  }
  // For what is slow: rather where others come by.
  unsigned choose_any(unsigned home, dice& d) const noexcept {
    if (plan.crowded) return d.below(plan.cells);
    return d.one_in(2) ? home : d.below(shared_cells);
  }
};

// Until the round is over. `party` numbers those of a round.
void blocking_party(round& r, kind k, unsigned party);
mortise::task<> task_party(round& r, unsigned party);
void start_foreign_party(round& r, unsigned party);

// Under the lock of `c`, which it gives up: a coroutine comes to wait for it and is destroyed, before the unlock
// or at some moment after it.
void destroy_a_frame(station& me, dice& d, books& b, unsigned c);

// A sleep that a task may stop at about its end; checks what it returns.
struct stoppable_sleep {
  stoppable_sleep(round& r, dice& d);
  void ended(bool in_full, books& b) const;
  std::stop_source stop;
  std::chrono::microseconds length;
  std::chrono::steady_clock::time_point began;
};

// Children that lock until they are stopped; the caller stops and joins them.
void start_children(round& r, mortise::task_scope& scope, dice& d, unsigned home);

// For holders that sleep: which OS thread this is.
[[gnu::noinline]] unsigned long os_thread_id() noexcept;

// Parties that meet at a mutex, once each; the last one destroys it, makes it anew and starts the next ones.
class relay {
 public:
  relay(round& r, unsigned cell) : m_round{r}, m_cell{cell} {}
  void start();
  void thread_party();  // one OS thread takes part in every generation, and returns after the last

 private:
  static constexpr unsigned tasks = 6;
  void member(kind k, unsigned n);
  mortise::task<> async_member(unsigned n);
  foreign::detached foreign_member(unsigned n);
  bool visit(station& me);  // under the lock; true: the last one
  void take(station& me, dice& d, books& b);
  void renew(station& me, books& b);
  void start_generation();

  round& m_round;
  const unsigned m_cell;
  unsigned m_left = 0;  // under the lock: who has yet to come
  std::uint64_t m_seed = 0;
  std::atomic<std::uint32_t> m_generation{0};  // 0 none yet; the highest bit: the last one was
  static constexpr std::uint32_t closed = 1u << 31;
};

// Runs one round to its end and balances the ledger.
void run_round(const round_plan& plan, totals& counted, station& conductor, plant planted);

}  // namespace soak
