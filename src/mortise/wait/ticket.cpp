// The parker of a coroutine that is no task of ours: a wake posts a job to an executor, the job claims and
// then resumes.
//
// 1. Promise     a coroutine is resumed once for each wait, on its executor, never inside unpark; an
//                unpark is never lost
// 2. Word        m_state, exact: free, parked, posted (the job is with the executor), running (the job
//                asks `step`), again (an unpark came while it was asking)
// 3. States      parked --unpark--> posted; posted, again, free --unpark--> unchanged
//                running --unpark--> again; posted --job--> running
//                running --claimed--> free, resumed; running --nothing--> parked
//                again --nothing--> running (asks once more)
//                posted --drop--> free, the node leaves its queue
//                parked --abandon--> free; posted --abandon--> posted without a node, its job only frees
// 4. Invariants  I1: at most one job of a ticket is with an executor or runs; I2: a free ticket has no node
// 5. Orderings   O1 unpark's RMW (release) <-> the job's RMW (acquire): what the waker did is seen by the
//                   claim
//                O2 handing a ticket out is under the pool's lock, which orders reuse
// 6. Last touch  tickets are recycled, never freed: a late unpark finds `free` (nothing) or a new user (a
//                wasted claim)
// 7. Wake ledger the unparker that replaced `parked` owes the post; dropped jobs pass on through
//                `step(leave)`
// 8. Evidence    lock/mutex_test.cpp
#include <mutex>
#include <new>

#include <mortise/base/atomic.hpp>
#include <mortise/base/fatal.hpp>
#include <mortise/base/fork.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/process_global.hpp>
#include <mortise/wait/coroutine.hpp>

namespace mortise::inline MORTISE_ABI::wait {
namespace {

class ticket final : public parker, public job {
 public:
  ticket() noexcept {
    run = [](job& j) noexcept { static_cast<ticket&>(j).serve(); };
    drop = [](job& j) noexcept { static_cast<ticket&>(j).dropped(); };
  }

  static ticket& take(void* frame, waiter& node, executor& where) noexcept;

  void unpark() noexcept override {
    for (state s = m_state.load(memory_order_relaxed);;) {
      const state after = s == parked ? posted : s == running ? again : s;
      // O1; relaxed on failure: the loop looks again
      if (m_state.compare_exchange_weak(s, after, memory_order_release, memory_order_relaxed)) {
        if (s == parked) m_where->post(*this);
        return;
      }
    }
  }

  void abandon() noexcept override {
    m_node = nullptr;
    state expected = parked;
    if (m_state.compare_exchange_strong(expected, free, memory_order_acquire, memory_order_relaxed))
      recycle();
  }

 private:
  enum state : std::uint32_t { free, parked, posted, running, again };

  void serve() noexcept {
    for (;;) {
      m_state.exchange(running, memory_order_acquire);  // O1
      if (m_node == nullptr) break;
      if (m_node->step(*m_node, waiter::request::claim)) break;
      state expected = running;
      // release: gives the node back to whoever wakes it next
      if (m_state.compare_exchange_strong(expected, parked, memory_order_release, memory_order_relaxed))
        return;
    }
    const auto coroutine = m_node == nullptr ? nullptr : std::coroutine_handle<>::from_address(m_frame);
    recycle();
    if (coroutine) coroutine.resume();
  }

  void dropped() noexcept {
    m_state.exchange(running, memory_order_acquire);  // O1
    if (m_node != nullptr) m_node->step(*m_node, waiter::request::leave);
    recycle();
  }

  void recycle() noexcept;

  atomic<state> m_state{free};
  void* m_frame = nullptr;
  waiter* m_node = nullptr;
  executor* m_where = nullptr;
  ticket* m_next_free = nullptr;
};

struct tickets {
  os_mutex guard;
  ticket* free = nullptr;
};
constinit process_global<tickets> pool;

ticket& ticket::take(void* frame, waiter& node, executor& where) noexcept {
  ticket* t = nullptr;
  hold_over_forks<pool>();
  {
    const std::lock_guard hold{pool->guard};
    t = pool->free;
    if (t != nullptr) pool->free = t->m_next_free;
  }
  if (t == nullptr) t = new (std::nothrow) ticket;
  if (t == nullptr) fatal("no memory for a coroutine that must wait");
  t->m_frame = frame;
  t->m_node = &node;
  t->m_where = &where;
  t->m_state.store(parked, memory_order_release);  // O2
  return *t;
}

void ticket::recycle() noexcept {
  m_node = nullptr;
  m_state.store(free, memory_order_release);  // O2
  const std::lock_guard hold{pool->guard};
  m_next_free = pool->free;
  pool->free = this;
}

}  // namespace

parker& coroutine_parker(void* frame, waiter& node, bool native, executor* where) noexcept {
  if (native && where == nullptr) {
    if (parker* own = this_context().suspend_coroutine(frame, &node); own != nullptr) return *own;
  }
  return ticket::take(frame, node, where != nullptr ? *where : default_executor());
}

}  // namespace mortise::inline MORTISE_ABI::wait
