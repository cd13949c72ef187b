// The context of a plain OS thread: it sleeps on a futex.
//
// 1. Promise     `unpark` is never lost: it ends the current `park` or the next one. Any thread may call
//                it at any time.
// 2. Word        m_permit, exact: empty (0), permit (1), asleep (2: the owner sleeps or is about to)
// 3. States      empty --unpark--> permit; asleep --unpark--> permit + futex wake;
//                permit --unpark--> permit; permit --park--> empty, returns
//                empty --park--> asleep --(wake, deadline, signal)--> empty, returns
// 4. Invariants  I1: only the owner leaves `permit`
//                I2: the owner sleeps in the kernel only while the word is `asleep`
// 5. Orderings   O1 unpark's exchange (release) <-> park's exchange (acquire): what the waker wrote is
//                   seen by the woken
//                O2 park's empty->asleep is relaxed: it publishes nothing, the kernel re-checks the word
//                   under its own lock, behind a full barrier in the system call; the waker's call has one, too
//                aarch64: a park that fails to become asleep has read the permit relaxed; the exchange behind it
//                   acquires
// 6. Last touch  parkers are recycled, never freed: a late unpark leaves a stray permit, which park's
//                callers allow for
// 7. Wake ledger the unparker that replaced `asleep` owes the futex wake; nobody else does
// 8. Evidence    parking_model.cpp, mutex_test.cpp; the protocol is that of a binary semaphore as in parking_lot's
//                thread parker

#include <unistd.h>

#include <cstddef>
#include <mutex>
#include <new>

#include <mortise/base/atomic.hpp>
#include <mortise/base/cache_line.hpp>
#include <mortise/base/fatal.hpp>
#include <mortise/base/fork.hpp>
#include <mortise/base/futex.hpp>
#include <mortise/base/gdb_facts.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/base/per_thread.hpp>
#include <mortise/base/probe.hpp>
#include <mortise/base/process_global.hpp>
#include <mortise/wait/budget.hpp>
#include <mortise/wait/context.hpp>
#include <mortise/wait/observer.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI::wait {
namespace {

class alignas(cache_line) thread_context final : public parker, public context {
 public:
  void unpark() noexcept override {
    MORTISE_PROBE(unpark, static_cast<parker*>(this), id());
    if (observers::any_of_tasks()) [[unlikely]]
      observers::wakes(*this);
    if (m_permit.exchange(permit, memory_order_release) == asleep) futex_wake(m_permit, 1);  // O1
  }

  bool runs_by_itself() const noexcept override { return true; }
  // relaxed, here and where it is written: see `thread`
  unsigned long id() const noexcept override { return thread.load(std::memory_order_relaxed); }
  void belongs_to_this_thread() noexcept {
    thread.store(static_cast<unsigned long>(::gettid()), std::memory_order_relaxed);
  }

  parker& self() noexcept override { return *this; }
  void yield() noexcept override { yield_this_thread(); }
  party kind() const noexcept override { return party::thread; }
  int refill_budget() noexcept override { return unlimited_budget; }  // the kernel preempts threads
  parker* suspend_coroutine(void*, waiter*) noexcept override { return nullptr; }

  void park(nanos deadline) noexcept override {
    if (m_permit.exchange(empty, memory_order_acquire) == permit) return;  // O1
    std::uint32_t expected = empty;
    // O2; when it fails the permit has just come
    if (m_permit.compare_exchange_strong(expected, asleep, memory_order_relaxed, memory_order_relaxed)) {
      MORTISE_PROBE(park, static_cast<parker*>(this), id());
      futex_wait(m_permit, asleep, deadline);
    }
    m_permit.exchange(empty, memory_order_acquire);  // O1
  }

  thread_context* next_free = nullptr;
  // The kernel's number of it. Who looks on may look while another thread makes this its own: either number will do, and nothing is read by it. No
  // part of the protocol, so of no model either.
  std::atomic<unsigned long> thread{0};

 private:
  enum : std::uint32_t { empty, permit, asleep };
  atomic<std::uint32_t> m_permit{empty};
};

// Parkers of ended threads, for reuse. An OS mutex serves: threads come and go rarely.
struct parkers {
  os_mutex guard;
  thread_context* free = nullptr;
};
constinit process_global<parkers> recycled;

MORTISE_PER_THREAD(context*) installed{nullptr};
MORTISE_PER_THREAD(thread_context*) own{nullptr};

void recycle(void* leaving) noexcept {
  auto* const parker = static_cast<thread_context*>(leaving);
  own = nullptr;
  const std::lock_guard hold{recycled->guard};
  parker->next_free = recycled->free;
  recycled->free = parker;
}

[[gnu::noinline]] thread_context& make_own() noexcept {
  thread_context* made = nullptr;
  hold_over_forks<recycled>();
  {
    const std::lock_guard hold{recycled->guard};
    made = recycled->free;
    if (made != nullptr) recycled->free = made->next_free;
  }
  if (made == nullptr) made = new (std::nothrow) thread_context;
  if (made == nullptr) fatal("no memory for a thread that must wait");
  made->belongs_to_this_thread();
  own = made;
  at_thread_exit(&recycle, made);  // locks may be used until the very end of the thread
  return *made;
}

}  // namespace

context& this_context() noexcept {
  if (installed != nullptr) return *installed;
  if (own != nullptr) return *own;
  return make_own();
}

bool on_plain_thread() noexcept {
  context* const c = installed;
  return c == nullptr || c->kind() == party::thread;
}

context* exchange_context(context* c) noexcept {
  context* before = installed;
  installed = c;
  return before;
}

}  // namespace mortise::inline MORTISE_ABI::wait

#pragma GCC diagnostic ignored \
    "-Winvalid-offsetof"  // both compilers know it of what is no standard layout, too

namespace mortise::inline MORTISE_ABI {

const gdb_fact gdb_waiting[] = {{"waiter.size", sizeof(wait::waiter)},
                                {"waiter.who", offsetof(wait::waiter, who)},
                                {"waiter.next", offsetof(wait::waiter, next)},
                                {"waiter.prev", offsetof(wait::waiter, prev)},
                                {"waiter.since", offsetof(wait::waiter, since)},
                                {"waiter.offered", offsetof(wait::waiter, offered)},
                                {"waiter.step", offsetof(wait::waiter, step)},
                                // from its parker, the first of its bases
                                {"thread.id", offsetof(wait::thread_context, thread)},
                                {nullptr}};

}  // namespace mortise::inline MORTISE_ABI
