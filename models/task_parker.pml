// How a task sleeps and is woken: the state of task/task_block.hpp, the workers that run it and its stack.
//
// 1. Promise     shown complete: an unpark ends the task's current park or the next; the task is in one run queue at most; one
//                worker at a time is on its stack
// 2. Word        state, as m_state; `due` is in the queue like `queued`
// 3. States      the task takes MESSAGES in turn and parks while there is none; with SLEEPS it sleeps now and then in between
// 4. Invariants  I1 `in_queue` is 1 at most; I2 `on_stack`
// 5. Orderings   RMWs, but for what O3 leaves to the timers' and the run queue's locks: sequentially consistent
// 6. Last touch  a block outlives its unparkers
// 7. Wake ledger whoever changes the state to queued puts the task into a queue. An unpark that finds queued, sleeping or due is
//                dropped: harmless for a task that looks at what it waits for after it runs again, and before it parks. A
//                task that yields between its look and its park loses it: CONTROL_YIELDS_BEFORE_PARK
// 8. Evidence    variants in README.md. Controls also: CONTROL_PARKED_EARLY, CONTROL_STORES_PARKED
//
// A lost wake shows as an invalid end state: workers wait for the queue until the task has ended.

#ifndef MESSAGES
#define MESSAGES 3
#endif
#define WORKERS 2

mtype = { running, notified, parked, sleeping, due, queued, idle };
mtype state = queued;
byte in_queue = 1;
bool on_stack;
byte left;
byte taken;
bool timer;  // armed

#define enqueue() atomic { assert(in_queue == 0); in_queue++ }  // I1

// task_block::unpark, by a thread that left a message
proctype sender() {
  mtype before;
  left++;
  atomic {  //@ task/task_block.cpp | const state after = s == running ? notified : s == parked ? queued : s;
    before = state;
    if
    :: state == running -> state = notified
    :: state == parked -> state = queued
    :: else
    fi
  }
  if
  :: before == parked -> enqueue()  //@ task/task_block.cpp | if (s == parked) scope->home->submit(*this);  // I1
  :: else
  fi
}

#ifdef SLEEPS
proctype timers() {
end_timers:
  do
  :: atomic { timer -> timer = false; assert(state == sleeping); state = due }  //@ task/worker.cpp | t.m_state.store(task_block::due, memory_order_relaxed);  // O3
    enqueue()
  od
}
#endif

// The worker leaves the task's stack: from here on its loop runs.
#define leave_stack assert(on_stack); on_stack = false

proctype worker() {
  bool slept;
  do
  :: atomic { in_queue > 0 -> in_queue--; assert(state == queued || state == due) }
    state = running;  //@ task/worker_tasks.cpp | t.m_state.exchange(task_block::running, memory_order_acquire);  // O1, O2
    assert(!on_stack);  // I2
    on_stack = true;
    // The task runs.
    do
    :: taken == MESSAGES -> goto ended
    :: taken != MESSAGES && left > taken -> taken++
    :: taken != MESSAGES && left == taken ->
#ifdef CONTROL_YIELDS_BEFORE_PARK  // control
      leave_stack;
      state = queued;
      enqueue();
      atomic { in_queue > 0 -> in_queue-- }
      state = running;
      on_stack = true;
#endif
      if  // park
      :: state == notified -> state = running  //@ task/worker_tasks.cpp | t.m_state.exchange(task_block::running, memory_order_acquire);  // O1: takes the permit
      :: else ->
#ifdef CONTROL_PARKED_EARLY  // control: before the stack is left
        atomic { if :: state == running -> state = parked; slept = true :: else -> slept = false fi }
        leave_stack;
#else
        leave_stack;
#ifdef CONTROL_STORES_PARKED  // control: a store for the CAS
        state = parked;
        slept = true;
#else
        atomic {  //@ task/worker_tasks.cpp | if (t.m_state.compare_exchange_strong(expected, task_block::parked, memory_order_release,
          if
          :: state == running -> state = parked; slept = true
          :: else -> assert(state == notified); slept = false
          fi
        }
#endif
#endif
        if
        :: slept
        :: !slept -> state = queued; enqueue()  //@ task/worker_tasks.cpp | t.m_state.exchange(task_block::queued, memory_order_acquire);  // the permit came first; O1, keeps I1
        fi;
        slept = false;
        break
      fi
#ifdef SLEEPS
    :: taken != MESSAGES ->
      leave_stack;
      state = sleeping;  //@ task/worker_tasks.cpp | t.m_state.store(task_block::sleeping, memory_order_relaxed);  // O3
      timer = true;      //@ task/worker_tasks.cpp | if (m_timers.add_sleeper(m_sleeps_until, t)) return;
      break
    :: taken != MESSAGES ->  // yields
      leave_stack;
      state = queued;  //@ task/worker_tasks.cpp | case verdict::yielded: t.m_state.exchange(task_block::queued, memory_order_acquire); return enqueue(t);
      enqueue();
      break
#endif
    od
  :: taken == MESSAGES && !on_stack && in_queue == 0 -> break
  od;
  goto done;
ended:
  leave_stack;
  state = idle;
done:
  skip
}

init {
  byte n = 0;
  atomic {
    do
    :: n < WORKERS -> run worker(); n++
    :: else -> break
    od;
    n = 0;
    do
    :: n < MESSAGES -> run sender(); n++
    :: else -> break
    od;
#ifdef SLEEPS
    run timers()
#endif
  }
}
