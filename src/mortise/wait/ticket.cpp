// The parker of a coroutine that is no task of ours, and of a callback: a wake posts a job to an executor, the job claims and
// then resumes, or calls back.
//
// 1. Promise     a coroutine is resumed once for each wait, on its executor, never inside unpark; an
//                unpark is never lost. The same for callbacks
// 2. Word        m_state, exact: free, making (its coroutine is still on its way into a queue), told (the same, and
//                an unpark came), parked, posted (the job is with the executor), running (the job asks `step`),
//                again (an unpark came while it was asking)
// 3. States      making --unpark--> told; making --has_suspended--> parked; told --has_suspended--> posted
//                parked --unpark--> posted; told, posted, again, free --unpark--> unchanged
//                running --unpark--> again; posted --job--> running
//                running --claimed--> free, resumed; running --nothing--> parked
//                again --nothing--> running (asks once more)
//                posted --drop--> free, the node leaves its queue
//                making, told, parked --abandon--> free; posted --abandon--> posted without a node, its job only
//                frees
// 4. Invariants  I1: at most one job of a ticket is with an executor or runs; I2: a free ticket has no node
//                I3: the node is touched by who makes it wait before `has_suspended`, and by the job after it: a stray
//                unpark, meant for the ticket's last user, posts nothing in between
// 5. Orderings   O1 unpark's RMW (release) <-> the job's RMW (acquire): what the waker did is seen by the
//                   claim. Also when the state stays as it is, so it is an RMW then, too
//                O2 handing a ticket out is under the pool's lock, which orders reuse
//                O3 to parked: release <-> unpark's RMW (acquire), which reads m_where: whoever is late has met the
//                   ticket's last user only. aarch64: without the acquire m_where may be read before the state
//                O4 m_node is plain: abandon may clear it while a job is posted, but who destroys a frame
//                   sees to it that the executor does not run it at that moment
// 6. Last touch  tickets are recycled, never freed: a late unpark finds `free` (nothing) or a new user (a
//                wasted claim)
// 7. Wake ledger the unparker that replaced `parked`, or `has_suspended` that found `told`, owes the post; dropped jobs pass on through
//                `step(leave)`
// 8. Evidence    parking_model.cpp, ticket_test.cpp, lock/mutex_test.cpp
#include <mutex>
#include <new>

#include <mortise/base/atomic.hpp>
#include <mortise/base/cache_line.hpp>
#include <mortise/base/fatal.hpp>
#include <mortise/base/fork.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/process_global.hpp>
#include <mortise/wait/callback.hpp>
#include <mortise/wait/coroutine.hpp>
#include <mortise/wait/observer.hpp>

namespace mortise::inline MORTISE_ABI::wait {
namespace {

class alignas(cache_line) ticket final : public parker, public job {
 public:
  ticket() noexcept {
    run = [](job& j) noexcept { static_cast<ticket&>(j).serve(); };
    drop = [](job& j) noexcept { static_cast<ticket&>(j).dropped(); };
  }

  static ticket& take(void (*resume)(void*), void* frame, waiter& node, executor& where, party kind) noexcept;
  party kind() const noexcept { return m_kind; }

  // As task_block::id.
  unsigned long id() const noexcept override {
    return static_cast<unsigned long>(reinterpret_cast<std::uintptr_t>(this) / sizeof(ticket)) %
           1'000'000'007UL;
  }

  void unpark() noexcept override {
    for (state s = m_state.load(memory_order_relaxed);;) {
      const state after = s == parked ? posted : s == running ? again : s == making ? told : s;
      // O1, O3; relaxed on failure: the loop looks again
      if (m_state.compare_exchange_weak(s, after, memory_order_acq_rel, memory_order_relaxed)) {
        if (s == parked) m_where->post(*this);
        return;
      }
    }
  }

  void has_suspended() noexcept override {
    state expected = making;
    // O3; when it fails an unpark has come
    if (m_state.compare_exchange_strong(expected, parked, memory_order_release, memory_order_relaxed)) return;
    m_state.exchange(posted, memory_order_acq_rel);  // keeps O1: hands on what the unparker released
    m_where->post(*this);
  }

  void abandon() noexcept override {
    m_node = nullptr;
    for (state s = m_state.load(memory_order_relaxed); s == making || s == told || s == parked;) {
      if (m_state.compare_exchange_weak(s, free, memory_order_acquire, memory_order_relaxed))
        return recycle();
    }
  }

 private:
  enum state : std::uint32_t { free, making, told, parked, posted, running, again };

  void serve() noexcept {
    for (;;) {
      m_state.exchange(running, memory_order_acquire);  // O1
      if (m_node == nullptr) break;
      if (m_node->step(*m_node, waiter::request::claim)) break;
      state expected = running;
      // O3: gives the node back to whoever wakes it next
      if (m_state.compare_exchange_strong(expected, parked, memory_order_release, memory_order_relaxed))
        return;
    }
    const auto resume = m_node == nullptr ? nullptr : m_resume;
    void* const frame = m_frame;
    recycle();
    if (resume != nullptr) resume(frame);
  }

  void dropped() noexcept {
    m_state.exchange(running, memory_order_acquire);  // O1
    if (m_node != nullptr) m_node->step(*m_node, waiter::request::leave);
    recycle();
  }

  void recycle() noexcept;

  atomic<state> m_state{free};
  void (*m_resume)(void*) = nullptr;
  void* m_frame = nullptr;
  waiter* m_node = nullptr;
  executor* m_where = nullptr;
  party m_kind = party::coroutine;
  ticket* m_next_free = nullptr;
};

struct tickets {
  os_mutex guard;
  ticket* free = nullptr;
};
constinit process_global<tickets> pool;

ticket& ticket::take(void (*resume)(void*), void* frame, waiter& node, executor& where, party kind) noexcept {
  ticket* t = nullptr;
  hold_over_forks<pool>();
  {
    const std::lock_guard hold{pool->guard};
    t = pool->free;
    if (t != nullptr) pool->free = t->m_next_free;
  }
  if (t == nullptr) t = new (std::nothrow) ticket;
  if (t == nullptr) fatal("no memory for a coroutine that must wait");
  t->m_resume = resume;
  t->m_frame = frame;
  t->m_node = &node;
  t->m_where = &where;
  t->m_kind = kind;
  t->m_state.store(making, memory_order_relaxed);  // O2; keeps I3
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
  return ticket::take([](void* f) { std::coroutine_handle<>::from_address(f).resume(); }, frame, node,
                      where != nullptr ? *where : default_executor(), party::coroutine);
}

parker& callback_parker(void (*call)(void*), void* with, waiter& node, executor& where) noexcept {
  return ticket::take(call, with, node, where, party::callback);
}

party kind_of(const waiter& n) noexcept {
  if (n.step == nullptr) return this_context().kind();
  const auto* const t = dynamic_cast<const ticket*>(static_cast<parker*>(n.who));
  return t != nullptr ? t->kind() : party::coroutine;
}

bool is_for_one_wait(const parker& p) noexcept { return dynamic_cast<const ticket*>(&p) != nullptr; }

}  // namespace mortise::inline MORTISE_ABI::wait
