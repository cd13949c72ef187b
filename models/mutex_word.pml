// The mutex among OS threads: the word, the queue, sleeping and waking.
//
// 1. Promise     shown complete for N threads: one holder; nobody sleeps for ever; nobody goes before the first in the queue
//                once it insists. Progress (`served`): who is in the queue and does not give up holds the
//                lock some day, if each thread that can go on does so some day (weak fairness).
// 2. Word        as in lock/mutex.cpp; WATCHED stays 0 among threads (handoff.pml has it); CONTENDED is not modelled
// 3. States      each thread rests, tries, locks or locks with a deadline, over and over, or stops for good
// 4. Invariants  I1 by the assertions in `store` and `release_queue_lock`; I2, I3, I4 in `check_word`, at every store
//                that gives up the queue lock
// 5. Orderings   the model is sequentially consistent. All that is stored plainly to the word is stored by the owner of the
//                queue lock; while such a store is in its buffer others see QUEUE_LOCK set, as if it came later; what
//                its thread does next to anything that is shared is an RMW (unpark, park, unlock), which drains it.
// 6. Last touch  not modelled: the exploration of the real code poisons freed memory
// 7. Wake ledger a wake that is lost shows as an invalid end state: all rest or have stopped but one who sleeps
// 8. Evidence    variants and figures in README.md. Controls: CONTROL_NO_STARVING, CONTROL_KEEPS_WAKE, CONTROL_KEEPS_OFFER,
//                CONTROL_STORE_RELEASES; UNQUEUED, and GIVE_UP for `served`
//
// Time: `old` and `late` become true at any moment once their wait has begun (clock). Deadlines pass at any moment. Parking is
// a permit, which parker.pml shows the futex protocol to be.
//
// Not excluded, and shown to be so: a thread that has not queued yet can lose every CAS to others who get on
// (the variant unqueued); with give-ups (GIVE_UP) the queue lock, a spin lock without an order, must let everyone in some day
// (served_fair), also the holder, whose unlock takes it (unfair_to_holder).

#ifndef N
#define N 3
#endif
#define BATCH 1  // an OS thread is told alone
#define runs_by_itself(n) true

bool permit[N];  // of the thread's parker

#include "mutex_word.inc"

//@ wait/offer.hpp | m_who[i]->unpark();
inline wake(told) {
  if
  :: told ->
    d_step {
      do
      :: !(told & (1 << i)) -> i++
      :: else -> break
      od;
      permit[i] = true;
      i = 0; told = 0
    }
  :: else
  fi
}

#ifdef UNQUEUED
bool trying;  // thread 0 is in lock()
#define note_trying(me, now) d_step { if :: me == 0 -> trying = now :: else fi }
#else
#define note_trying(me, now)
#endif

proctype thread(byte me) {
  byte w, i, count, told;
  bool took, bounded;
  do
  :: true ->
    note_trying(me, true);
    if
    :: d_step {  //@ lock/mutex.hpp | restartable::set_byte(m_word, word::held);
        obtainable(word) -> word = word | HELD;
        took = true;
        barge(me)
      }
    :: !obtainable(word) ->  //@ lock/mutex.cpp | if (take_or_queue(n)) return true;
#ifdef GIVE_UP  // the last so many give up
      if
      :: true
      :: me >= N - GIVE_UP -> bounded = true
      fi;
#endif
      take_or_queue(me, w, i, took);
      do
      :: took -> break
      :: !took ->
        if  //@ lock/mutex.cpp | wait::this_context().park(deadline);
        :: permit[me] -> permit[me] = false
#ifdef GIVE_UP
        :: bounded  // the deadline
#endif
#ifdef SPURIOUS
        :: true  // a signal
#endif
        fi;
wants_queue_lock:
        claim(me, w, i, took);  //@ lock/mutex.cpp | if (n.who->runs_by_itself() ? stand_by(n, deadline) : claim(n)) return true;
#ifdef GIVE_UP
        if
        :: !took && bounded -> leave(me, w, i, count); break  //@ lock/mutex.cpp | leave(n);
        :: true
        fi
#endif
      od
    fi;
    bounded = false;
    if
    :: took ->
      note_trying(me, false);
      took = false;
      unlock(me, w, i, count)
    :: else
    fi
  :: true -> break  // stops for good
  od
}

init {
  byte n = 0;
  atomic {
    do
    :: n < N -> run thread(n); run patience(n);
#ifndef IN_TIME
      run offer_bound(n);
#endif
      n++
    :: else -> break
    od
  }
}

#if defined(UNQUEUED)
ltl served { [] (trying -> <> !trying) }
#elif defined(FAIR_QUEUE_LOCK)
// If a thread that waits for the queue lock over and over again finds it free, it gets it. Thread 0 is process 1.
#define wants (thread[1]@wants_queue_lock)
ltl served { ([] <> (wants && !(word & QUEUE_LOCK)) -> [] <> !wants) -> [] (queued[0] -> <> !queued[0]) }
#else
ltl served { [] (queued[0] -> <> !queued[0]) }
#endif
