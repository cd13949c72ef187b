// How an OS thread parks, how a coroutine that is no task of ours waits (ticket.cpp), and the executor that resumes it, under every
// schedule.
#include <coroutine>
#include <mutex>
#include <utility>

#include <explore/verify.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/wait/coroutine.hpp>
#include <mortise/wait/executor.hpp>
#include <support/foreign.hpp>

namespace {

using explore::require;
using explore::scoped_thread;
namespace wait = mortise::wait;

// The bug: a wake between the look and the sleep is lost; or what the waker wrote is not seen (O1).
EXPLORE(thread_parker, an_unpark_ends_this_park_or_the_next,
        {.preemptions = 4, .deviations = 2, .spurious = false}) {
  mortise::plain<int> written{0};
  wait::parker& me = wait::this_context().self();
  scoped_thread waker{"waker", [&] {
                        written = 1;
                        me.unpark();
                      }};
  wait::this_context().park(mortise::never);
  require(written == 1, "what the waker wrote");
}

// The bug: a permit that a second waker left is doubled, or the first one's wake of the kernel is spent on nobody.
EXPLORE(thread_parker, two_wakers_and_two_conditions, {.preemptions = 3, .deviations = 1}) {
  mortise::atomic<int> done{0};
  wait::parker& me = wait::this_context().self();
  const auto wake = [&] {
    done.fetch_add(1, std::memory_order_release);
    me.unpark();
  };
  scoped_thread a{"a", wake};
  scoped_thread b{"b", wake};
  while (done.load(std::memory_order_acquire) != 2) wait::this_context().park(mortise::never);
}

// The bug: a deadline leaves the word as if somebody slept, or eats the permit of the next wait.
EXPLORE(thread_parker, a_deadline_and_a_wake_at_once, {.preemptions = 3, .deviations = 2}) {
  mortise::atomic<bool> open{false};
  wait::parker& me = wait::this_context().self();
  scoped_thread waker{"waker", [&] {
                        open.store(true, std::memory_order_release);
                        me.unpark();
                      }};
  wait::this_context().park(mortise::now_ns() + 1000);
  while (!open.load(std::memory_order_acquire)) wait::this_context().park(mortise::never);
}

// A thread's parker is used again when the thread has ended: a late wake is a stray permit, no more.
EXPLORE(thread_parker, a_late_wake_meets_the_parkers_next_user, {.preemptions = 2, .deviations = 1}) {
  mortise::atomic<wait::parker*> known{nullptr};
  mortise::atomic<bool> open{false};
  scoped_thread first{"first", [&] { known.store(&wait::this_context().self(), std::memory_order_release); }};
  first.join();
  scoped_thread late{"late", [&] { known.load(std::memory_order_acquire)->unpark(); }};
  scoped_thread second{"second", [&] {
                         while (!open.load(std::memory_order_acquire))
                           wait::this_context().park(mortise::never);
                       }};
  wait::parker* const p = known.load(std::memory_order_acquire);
  open.store(true, std::memory_order_release);
  p->unpark();  // the second's, if it took it over
  late.join();
}

// Something that a coroutine waits for, as a lock would make it: it claims under the gate's own lock.
class gate {
 public:
  class waiting : public wait::waiter {
   public:
    waiting(gate& g, wait::executor* where) noexcept : m_gate{g}, m_where{where} {
      step = [](wait::waiter& n, request what) noexcept {
        waiting& me = static_cast<waiting&>(n);
        const std::lock_guard hold{me.m_gate.m_guard};
        if (what == request::claim && !me.m_gate.m_open) return false;
        me.m_gate.m_waits = nullptr;
        return true;
      };
    }
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> h) noexcept {
      who = &wait::coroutine_parker(h.address(), *this, false, m_where);
      wait::parker* const me = who;
      {
        const std::lock_guard hold{m_gate.m_guard};
        if (!m_gate.m_open) m_gate.m_waits = this;
      }
      if (m_gate.waits_no_more(*this)) {
        me->abandon();
        return false;
      }
      me->has_suspended();
      return true;
    }
    void await_resume() const noexcept {}

   private:
    gate& m_gate;
    wait::executor* m_where;
  };

  waiting pass(wait::executor* where = nullptr) noexcept { return {*this, where}; }
  // Who waits is woken after the guard is left, as an unlock does it.
  void open() noexcept {
    wait::parker* who = nullptr;
    {
      const std::lock_guard hold{m_guard};
      m_open = true;
      if (m_waits != nullptr) who = m_waits->who;
    }
    if (who != nullptr) who->unpark();
  }
  wait::parker* known() noexcept {
    const std::lock_guard hold{m_guard};
    return m_waits == nullptr ? nullptr : m_waits->who.get();
  }

 private:
  bool waits_no_more(const waiting& w) noexcept {
    const std::lock_guard hold{m_guard};
    return m_open && m_waits != &w;
  }
  mortise::os_mutex m_guard;
  bool m_open = false;
  waiting* m_waits = nullptr;
};

foreign::detached pass_once(gate& g, mortise::atomic<std::uint32_t>& passed) {
  co_await g.pass();
  passed.fetch_add(1, std::memory_order_release);
}

void wait_until(mortise::atomic<std::uint32_t>& n, std::uint32_t wanted) {
  while (n.load(std::memory_order_acquire) < wanted) explore::await_change();
}

// The bug: resumed twice (two passes), or never, or inside the opener's unpark.
EXPLORE(ticket, a_coroutine_is_resumed_once, {.preemptions = 2, .deviations = 1}) {
  gate g;
  mortise::atomic<std::uint32_t> passed{0};
  scoped_thread opener{"opener", [&] { g.open(); }};
  pass_once(g, passed);
  opener.join();
  wait_until(passed, 1);
  require(passed.load() == 1, "once");
}

// The bug: a stray wake resumes a coroutine for which nothing is there; or it is lost while the job asks.
EXPLORE(ticket, a_stray_wake_asks_in_vain, {.preemptions = 2, .deviations = 0}) {
  gate g;
  mortise::atomic<std::uint32_t> passed{0};
  scoped_thread stray{"stray", [&] {
                        if (wait::parker* const p = g.known(); p != nullptr) p->unpark();
                      }};
  pass_once(g, passed);
  scoped_thread opener{"opener", [&] { g.open(); }};
  opener.join();
  stray.join();
  wait_until(passed, 1);
  require(passed.load() == 1, "once");
}

// The bug: a wake that was meant for a ticket's user before finds the next one on its way into a queue.
EXPLORE(ticket, a_late_wake_meets_the_tickets_next_user, {.preemptions = 2, .deviations = 0}) {
  foreign::manual_executor ended;
  gate before;
  wait::parker* known = nullptr;
  {
    auto frame = [](gate& g, foreign::manual_executor& where) -> foreign::coroutine {
      co_await g.pass(&where);
    }(before, ended);
    known = before.known();
    known->abandon();  // its frame is destroyed
  }
  gate g;
  mortise::atomic<std::uint32_t> passed{0};
  scoped_thread late{"late", [&] { known->unpark(); }};
  pass_once(g, passed);
  g.open();
  late.join();
  wait_until(passed, 1);
  require(passed.load() == 1, "once");
}

// The bug: a job that is posted while the executor's thread goes to sleep is not run; or one is run twice.
struct counted_job : wait::job {
  explicit counted_job(mortise::atomic<std::uint32_t>& n) : done{n} {
    run = [](wait::job& j) noexcept {
      static_cast<counted_job&>(j).done.fetch_add(1, std::memory_order_release);
    };
    drop = run;
  }
  mortise::atomic<std::uint32_t>& done;
};
EXPLORE(executor, each_job_is_run_once, {.preemptions = 3, .deviations = 1}) {
  mortise::atomic<std::uint32_t> done{0};
  counted_job one{done}, other{done};
  scoped_thread poster{"poster", [&] { wait::default_executor().post(one); }};
  wait::default_executor().post(other);
  poster.join();
  wait_until(done, 2);
  require(done.load() == 2, "once each");
}

}  // namespace
