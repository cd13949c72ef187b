// How tasks enter and leave a worker: fibers by switching stacks, coroutines by steps on the loop's own
// stack.
//
// Whatever leaves says why (verdict, step_end) before it leaves, and the loop acts on it when nothing runs on
// the task any more (keeps I2 of task_block). After a switch the code is possibly on another worker: `this`
// is then the old one, so functions that suspend are done with `this` when they return from the switch.
#include <algorithm>
#include <atomic>
#include <coroutine>

#include <mortise/base/chaos.hpp>
#include <mortise/base/fatal.hpp>
#include <mortise/base/futex.hpp>
#include <mortise/base/probe.hpp>
#include <mortise/task/held_check.hpp>
#include <mortise/task/runtime_core.hpp>
#include <mortise/task/spawn.hpp>
#include <mortise/task/worker.hpp>
#include <mortise/wait/observer.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {

constexpr nanos budget_check_interval = 25'000;
// With others runnable, a task that never blocks yields after a turn; where many are, after a shorter one, so that each comes round again soon.
constexpr nanos longest_turn = 100'000;
constexpr nanos round_length = 2'500'000;
constexpr nanos far_deadline = nanos{1} << 27;

// Before anybody else can go to it.
void note_leave(const task_block& t, const char* how) noexcept {
  if (wait::observers::any_of_tasks()) [[unlikely]]
    wait::observers::leaves(t, how);
}

constexpr const char* to_string(step_end e) noexcept {
  switch (e) {
    case step_end::elsewhere: return "goes on elsewhere";
    case step_end::suspended: return "parks";
    case step_end::asleep: return "sleeps";
    case step_end::yielded: return "yields";
    case step_end::finished: return "ends";
  }
  return "leaves";
}

}  // namespace

// From now on `t`, whose state was seen to be `s`, is the one that runs. Always inline: by the lines of a probe's note GCC takes it for too long, and a call
// more in each step of a coroutine is 1.5 ns of 19 (EPYC Zen 3, November 2026, bench P11).
[[gnu::always_inline]] inline void worker::enter(task_block& t, task_block::state s) noexcept {
#if MORTISE_IS_CHAOS
  t.ran_on = m_index;
#endif
  add_single_writer(m_switches, std::uint64_t{1});
  if (s == task_block::due || s == task_block::untimed) {
    t.m_state.store(task_block::running,
                    memory_order_relaxed);  // O3: nobody else had a say since it went to sleep
  } else {
    t.m_state.exchange(task_block::running, memory_order_acquire);  // O1, O2
  }
  MORTISE_PROBE(runs, static_cast<wait::parker*>(&t), m_index);
  runs(&t);
  if (wait::observers::any_of_tasks()) [[unlikely]]
    wait::observers::enters(t, t.kind, m_index);
  entered_with_held();
}

void worker::run(task_block& t) noexcept {
  const task_block::state s = t.m_state.load(memory_order_relaxed);
  if (s == task_block::untimed) [[unlikely]] {
    m_sleeps_until = t.sleeps_until;
    t.claims = nullptr;
    if (now_ns() < m_sleeps_until) return put_to_sleep(t);
  }
  enter(t, s);
  if (t.has_stack()) {
    switch_stack(m_loop, t.rest, this);
    let_go();
  } else {
    step(t);
  }
  runs(nullptr);
}

// The task, or none, that runs from now on. Only this thread writes it, and reads it as it likes; others look, so the store is
// one that may race with a load.
void worker::runs(task_block* t) noexcept { __atomic_store_n(&m_running, t, __ATOMIC_RELAXED); }

glimpse worker::look() const noexcept {
  const std::uint64_t turns = m_switches.load(memory_order_relaxed);
  return {turns, __atomic_load_n(&m_running, __ATOMIC_RELAXED)};
}

// The next task, entered, for one that leaves its stack and can go there by itself; null: the loop must be gone to. That halves the
// switches; and the calls of the one then return where those of the other were predicted to.
task_block* worker::straight_on() noexcept {
  if ((m_turn + 1) % turns_between_polls == 0) return nullptr;
#if MORTISE_IS_CHAOS
  if (chaos_has(chaos::migrate) || chaos_pick(2) == 0) return nullptr;  // the loop sends tasks on
#endif
  task_block* const t = m_queue.pop();
  if (t == nullptr) return nullptr;
  ++m_turn;
  const task_block::state s = t->m_state.load(memory_order_relaxed);
  if (!t->has_stack() || s == task_block::untimed) {
    m_handed = t;
    return nullptr;
  }
  prefetch();
  enter(*t, s);
  return t;
}

// The first thing on the stack that a task went to when it left its own, be it the loop's or another task's.
void worker::let_go() noexcept {
  if (task_block* const t = std::exchange(m_left, nullptr); t != nullptr) settle(*t);
}

void worker::settle(task_block& t) noexcept {
  switch (m_verdict) {
    case verdict::parked: return commit_park(t);
    case verdict::asleep: return put_to_sleep(t);
    case verdict::yielded: t.m_state.exchange(task_block::queued, memory_order_acquire); return enqueue(t);
    case verdict::ended: {
      const stack_pool::stack memory{
          reinterpret_cast<char*>(reinterpret_cast<std::uintptr_t>(t.body) & ~(m_home.stacks().size() - 1)),
          t.canary};
      drop_stack(t.rest);
      m_home.stacks().give_back(memory, t.id());
      return finish(t);
    }
    case verdict::carrier_free: return give_back(m_freed_carrier);
  }
}

// Only now that nothing runs on the task's stack: a peer may fire its timer at once.
void worker::put_to_sleep(task_block& t) noexcept {
  t.m_state.store(task_block::sleeping, memory_order_relaxed);  // O3
  if (m_timers.add_sleeper(m_sleeps_until, t)) return;
  // No memory for a timer: it asks again whenever its turn comes, no less right.
  t.sleeps_until = m_sleeps_until;
  t.m_state.store(task_block::untimed, memory_order_relaxed);
  enqueue(t);
}

void worker::commit_park(task_block& t) noexcept {
  task_block::state expected = task_block::running;
  if (t.m_state.compare_exchange_strong(expected, task_block::parked, memory_order_release,
                                        memory_order_relaxed)) {
    MORTISE_PROBE(park, static_cast<wait::parker*>(&t), 0UL);
    return;  // O2
  }
  t.m_state.exchange(task_block::queued, memory_order_acquire);  // the permit came first; O1, keeps I1
  enqueue(t);
}

// The task's last act: nothing may touch it or its scope's owner afterwards.
void worker::finish(task_block& t) noexcept {
  scope_core& s = *t.scope;
  recycle(t);
  s.count_out();
}

void worker::fiber_main(void* arrived_on) {
  auto& here = *static_cast<worker*>(arrived_on);
  here.let_go();
  task_block& t = *here.m_running;
  try {
    t.body->run(*t.body, *t.scope);
  } catch (...) {
    t.scope->failed(std::current_exception());
  }
  t.body->destroy(*t.body);
  check_held(t, "ends");
  note_leave(t, "ends");
  worker& w = *current();  // not `here`: the task may have moved
  w.m_left = &t;
  w.m_verdict = verdict::ended;
  const task_block* const next = w.straight_on();
  switch_for_good(t.rest, next != nullptr ? next->rest : w.m_loop, &w);
}

// One step of a coroutine: from where it is suspended to its next suspension. May end on another worker, when
// it blocks in between; then this stack has been displaced and ends here.
void worker::step(task_block& t) noexcept {
  if (wait::waiter* const n = t.claims; n != nullptr) {
    if (!n->step(*n, wait::waiter::request::claim)) {
      note_leave(t, "parks");
      return commit_park(t);
    }
    t.claims = nullptr;
  }
  carrier* const c = m_loop_carrier;
  m_step_carrier = c;
  c->end = step_end::elsewhere;
  std::coroutine_handle<>::from_address(t.rest.where()).resume();
  if (c->end == step_end::finished) {
    // Destructors are the user's code as well, and may block: before it is asked whether this stack was displaced.
    std::coroutine_handle<>::from_address(t.rest.where()).destroy();
    if (t.body != nullptr) t.body->destroy(*t.body);
  }
  if (!c->displaced) return after_step(t, *c);
  worker& here = *current();
  here.after_step(t, *c);
  here.m_left = &t;
  here.m_verdict = verdict::carrier_free;
  here.m_freed_carrier = c;
  switch_for_good(c->rest, here.m_loop, nullptr);
}

void worker::after_step(task_block& t, carrier& c) noexcept {
  // Not note_leave: which word it is would be found out, by a jump that has to be guessed, before it is known that nobody looks.
  if (wait::observers::any_of_tasks()) [[unlikely]]
    wait::observers::leaves(t, to_string(c.end));
  if (c.end == step_end::elsewhere)
    return;  // resumed by someone else, perhaps finished already: not ours to touch
  check_held(t, c.end == step_end::finished ? "ends" : "suspends");
  switch (c.end) {
    case step_end::suspended: return commit_park(t);
    case step_end::asleep: return put_to_sleep(t);
    case step_end::yielded: t.m_state.exchange(task_block::queued, memory_order_acquire); return enqueue(t);
    case step_end::finished: return finish(t);
    case step_end::elsewhere: return;
  }
}

// The running fiber, or a coroutine that blocks in the middle of a step, leaves its stack. Returns on
// whatever worker runs it next, and which one that is.
worker& worker::leave_stack(task_block& t, verdict why) noexcept {
  check_held(t, "suspends");
  note_leave(t, why == verdict::asleep ? "sleeps" : why == verdict::yielded ? "yields" : "parks");
  m_left = &t;
  m_verdict = why;
  // Exceptions in flight belong to the task: they leave the thread with it, and enter the one on which it
  // goes on.
  const exceptions_in_flight mine = take_exceptions(m_exceptions);
  worker* here = nullptr;
  if (t.kind == wait::party::fiber) {
    const task_block* const next = straight_on();
    here = static_cast<worker*>(switch_stack(t.rest, next != nullptr ? next->rest : m_loop, this));
  } else {
    carrier* const c = m_step_carrier;
    t.on_carrier = true;
    if (c->displaced) {
      here = static_cast<worker*>(switch_stack(t.rest, m_loop, nullptr));
    } else {
      carrier* const fresh = take_carrier();
      if (fresh == nullptr)
        fatal("no memory for a worker that must go on while coroutine %lu blocks", t.id());
      c->displaced = true;
      m_loop_carrier = fresh;
      here = static_cast<worker*>(switch_stack(t.rest, fresh->rest, this));
    }
    t.on_carrier = false;
    here->m_step_carrier = c;
  }
  here->let_go();
  put_exceptions(here->m_exceptions, mine);
  return *here;
}

// wait::context

wait::parker& worker::self() noexcept {
  if (m_running == nullptr) fatal("a lock was used inside a worker, outside of any task");
  return *m_running;
}

wait::party worker::kind() const noexcept {
  return m_running != nullptr ? m_running->kind : wait::party::thread;
}

void worker::park(nanos deadline) noexcept {
  m_home.check_fork();
  task_block& t = *m_running;
  if (t.m_state.load(memory_order_relaxed) == task_block::notified) {
    t.m_state.exchange(task_block::running, memory_order_acquire);  // O1: takes the permit
    return;
  }
  if (chaos_strikes(chaos::spurious)) return yield();
  if (deadline == never) {
    leave_stack(t, verdict::parked);
    return;
  }
  const nanos now = now_ns();
  if (now >= deadline) return;
  timers* const armed = deadline - now > far_deadline ? &m_timers : nullptr;
  leave_stack(t, m_timers.add(deadline, t) ? verdict::parked : verdict::yielded);
  end_of_limit(t, armed);
}

// The wait is over: its deadline, if it has not fired, is void.
void worker::end_of_limit(task_block& t, timers* armed) noexcept {
  const std::uint16_t round =
      t.timer_round.load(memory_order_relaxed);  // written by the task's own worker only
  t.timer_round.store(static_cast<std::uint16_t>(round + 1 == timers::sleeper ? 0 : round + 1),
                      memory_order_relaxed);
  if (armed != nullptr) armed->voided();
}

void worker::yield() noexcept {
  m_home.check_fork();
  leave_stack(*m_running, verdict::yielded);
}

nanos worker::deadline_after(nanos d) const noexcept {
  const nanos now = m_clock.not_before_now();
  return d > never - now ? never : now + d;
}

void worker::sleep_until(nanos deadline) noexcept {
  worker* here = this;
  task_block& t = *m_running;
  do {
    here->m_home.check_fork();
    here->m_sleeps_until = deadline;
    here = &here->leave_stack(t, verdict::asleep);
    // The time by which the timer fired is enough to know that the deadline has passed; the clock itself
    // costs 25 ns.
  } while (here->m_now < deadline && now_ns() < deadline);
}

int worker::refill_budget() noexcept {
  const nanos now = now_ns();
  if (m_budget_switches != m_switches.load(memory_order_relaxed)) {
    m_budget_switches = m_switches.load(memory_order_relaxed);
    m_budget_since = now;
  } else {
    const nanos elapsed = std::max<nanos>(now - m_budget_last, 1);
    const double size =
        static_cast<double>(m_budget_size) * budget_check_interval / static_cast<double>(elapsed);
    m_budget_size = static_cast<int>(std::clamp(size, 1.0, 65536.0));
  }
  m_budget_last = now;
  const bool tired = chaos_has(chaos::preempt) && chaos_pick(4) == 0;
  const int granted = chaos_has(chaos::preempt) ? std::min(m_budget_size, 64) : m_budget_size;
  const nanos turn = std::min(longest_turn, round_length / (m_queue.size() + 1));
  if (now - m_budget_since < turn && !tired) return granted;
  const bool others = m_queue.size() != 0 || m_home.inbox_filled() || m_timers.next() <= now;
  if (m_running == nullptr || !others) return granted;
  if (m_running->kind == wait::party::coroutine) return 0;
  yield();
  return granted;
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
