// Offers to parties that no operating system runs: coroutines on executors, one before another, some of them dead, a thread
// behind them, and the warden that widens what nobody takes up.
//
// 1. Promise     shown complete: one holder; of a coroutine's jobs one at most is with its executor; nobody sleeps for ever
//                behind one who never runs; an offer whose frame or job is destroyed is passed on. Progress (`served`): the
//                thread, which is last, holds the lock some day, whatever executors stop.
// 2. Word        as in lock/mutex.cpp with WATCHED; `ticket` is m_state of wait/ticket.cpp; `guard` is the warden's m_guard
// 3. States      a coroutine rests, awaits, is posted, runs, or is destroyed; its executor may stop for good (DEAD, the first
//                so many) once it has a job; its frame or its job may be destroyed (DESTROY)
// 4. Invariants  I1 to I4 of the mutex as in mutex_word.pml; I1 of the ticket by the assertions at posted
// 5. Orderings   sequentially consistent, for the reasons in mutex_word.pml; tickets change by RMWs only
// 6. Last touch  of the lock by the warden: only while it is listed, and `unwatch` waits for `guard`; the exploration of the real
//                code poisons freed memory
// 7. Wake ledger a wake that is lost shows as an invalid end state
// 8. Evidence    variants and figures in README.md. Controls: CONTROL_NO_WARDEN, CONTROL_KEEPS_WAKE
//
// Time: as in mutex_word.pml. The warden looks at the list at any moment, and some day if something is on it. A batch is 2, not
// 16. Natively run tasks (task/task_block.hpp) have the same states under other names; parker.pml has them.

#ifndef N
#define N 3
#endif
#define BATCH 2
#define runs_by_itself(n) ((n) == N - 1)
#ifndef CONTROL_NO_WARDEN
#define WARDEN
#endif

#ifdef ONCE  // each locks once
#define again_or_stop break
#else
#define again_or_stop skip
#endif

mtype = { free, making, making_told, parked, posted, running, again };
mtype ticket[N] = free;
bool permit;  // of the thread, the last party
bool guard;

//@ wait/warden.cpp | m_watched.push_back(e);
#define watch() atomic { !guard -> assert(!listed); listed = true }
//@ wait/warden.cpp | m_watched.pop_back();
#define unwatch() atomic { !guard -> assert(listed); listed = false }

#include "mutex_word.inc"

//@ wait/ticket.cpp | const state after = s == parked ? posted : s == running ? again : s == making ? told : s;
#define unpark(n) \
  d_step { \
    told = told & ~(1 << (n)); \
    if \
    :: ticket[n] == parked -> ticket[n] = posted \
    :: ticket[n] == running -> ticket[n] = again \
    :: ticket[n] == making -> ticket[n] = making_told \
    :: else \
    fi \
  }

//@ wait/offer.hpp | m_who[i]->unpark();
inline wake(told) {  // in any order
  do
  :: told & 1 -> unpark(0)  // unreached: ONCE, by the warden
#if N > 2
  :: told & 2 -> unpark(1)  // unreached: ONCE, by the warden
#endif
#if N > 3
  :: told & 4 -> unpark(2)
#endif
  :: told & (1 << (N - 1)) -> d_step { told = told & ~(1 << (N - 1)); permit = true }  // unreached: always, by the thread itself
  :: told == 0 -> break
  od
}

// `auto hold = co_await m.async_lock()` and an unlock, over and over.
proctype coroutine(byte me) {
  byte w, i, count, told;
  bool took;
  do
  :: true ->
    if
    :: d_step {  //@ lock/mutex.hpp | bool await_ready() const noexcept { return m_mutex.try_fast(); }
        obtainable(word) -> word = word | HELD;
        took = true;
        enter(me)
      }
    :: !obtainable(word) ->
      ticket[me] = making;  //@ wait/ticket.cpp | t->m_state.store(making, memory_order_relaxed);  // O2; keeps I3
      take_or_queue(me, w, i, took);  //@ lock/mutex_coroutines.cpp | } else if (take_or_queue(n)) {
      d_step {  //@ lock/mutex_coroutines.cpp | who->has_suspended();  // from here on the frame may be running elsewhere
        if
        :: took
        :: !took && ticket[me] == making -> ticket[me] = parked
        :: !took && ticket[me] == making_told -> ticket[me] = posted
        fi
      }
      do
      :: took -> ticket[me] = free; break  //@ lock/mutex_coroutines.cpp | who->abandon();
      :: !took && ticket[me] == posted ->
        ticket[me] = running;  //@ wait/ticket.cpp | m_state.exchange(running, memory_order_acquire);  // O1
        claim(me, w, i, took);  //@ wait/ticket.cpp | if (m_node->step(*m_node, waiter::request::claim)) break;
        d_step {
          assert(ticket[me] == running || ticket[me] == again);
          if
          :: took
          :: !took && ticket[me] == running -> ticket[me] = parked  //@ wait/ticket.cpp | if (m_state.compare_exchange_strong(expected, parked, memory_order_release, memory_order_relaxed))
          :: !took && ticket[me] == again -> ticket[me] = posted  // asks once more
          fi
        }
#ifdef DEAD
      :: !took && me < DEAD && ticket[me] == posted ->
end_dead:
        false  // the executor has stopped
#endif
#ifdef DESTROY
      :: !took ->  // the frame is destroyed, or the job by its executor
        if
        :: ticket[me] = running  //@ wait/ticket.cpp | m_state.exchange(running, memory_order_acquire);  // O1
        :: true  //@ lock/mutex_coroutines.cpp | void mutex::forget(wait::waiter& n) noexcept {
        fi;
        leave(me, w, i, count);  //@ wait/ticket.cpp | if (m_node != nullptr) m_node->step(*m_node, waiter::request::leave);
        ticket[me] = free;  // or the job that is on its way frees it: it knows of no node any more
        break
#endif
      od
    fi;
    if
    :: took -> took = false; unlock(me, w, i, count)
#ifdef DESTROY
    :: else
#endif
    fi;
    again_or_stop
  :: true -> break
  od
}

proctype thread(byte me) {
  byte w, i, count, told;
  bool took;
  do
  :: true ->
    if
    :: d_step { obtainable(word) -> word = word | HELD; took = true; enter(me) }
    :: !obtainable(word) ->
      take_or_queue(me, w, i, took);
      do
      :: took -> break
      :: !took && permit ->
        permit = false;
wants_queue_lock:
        claim(me, w, i, took)
      od
    fi;
    took = false;
    unlock(me, w, i, count);
    again_or_stop
  :: true -> break
  od
}

#ifdef WARDEN
//@ wait/warden.cpp | m_watched[i].examine(m_watched[i].lock, next);
proctype warden() {
  byte w, i, count, told;
end_warden:
  do
  :: atomic { listed && !guard -> guard = true }
    if
    :: d_step {  //@ lock/mutex.cpp | if ((w & (word::held | word::queue_lock)) != 0 || !m.try_queue_lock(w)) return;
        !(word & (HELD | QUEUE_LOCK)) -> w = word & FLAGS;
        word = word | QUEUE_LOCK;
        choose(told, i, count)  //@ lock/mutex.cpp | next.choose(head_of(w), age_clock_now());  // keeps I2
      }
      d_step { w = w | told_if_head; release_queue_lock(w, i); w = 0 }  //@ lock/mutex.cpp | m.release_queue_lock((w & ~word::told) | told_if(*head_of(w)));
    :: word & (HELD | QUEUE_LOCK)
    fi;
    guard = false;
    wake(told)  //@ wait/warden.cpp | next.wake();
  od
}
#endif

init {
  byte n = 0;
  atomic {
    run thread(N - 1);  // process 1
    run patience(N - 1); run offer_bound(N - 1);
#ifdef WARDEN
    run warden();
#endif
    do
    :: n < N - 1 -> run coroutine(n); run patience(n); run offer_bound(n); n++
    :: else -> break
    od
  }
}

// If the thread waits for the queue lock over and over again and finds it free, it gets it: the warden, which looks every 2 ms
// and holds the queue lock for some ten instructions, may not be there each time.
#define wants (thread[1]@wants_queue_lock)
ltl served { ([] <> (wants && !(word & QUEUE_LOCK)) -> [] <> !wants) -> [] (queued[N - 1] -> <> !queued[N - 1]) }
