// An unlock without an RMW: a restartable sequence that stores one byte, against waiters that announce themselves and then
// call membarrier. Not in the code yet; the design that it must follow, and why each part of it is there.
//
// 1. Promise     shown complete: one holder; nobody sleeps for ever; after the store that frees the lock the unlocker does
//                not touch it (the next holder may destroy it)
// 2. Word        byte 0: HELD. Byte 1: CONTENDED, exact: unlocks go by RMW; set by a waiter, cleared when the queue gets
//                empty, or later (HYSTERESIS). The queue stands for the head's bytes and for what QUEUE_LOCK guards, which
//                mutex_word.pml has: here one RMW does what is done under it.
// 3. States      free, held, held and contended; see the code below
// 4. Invariants  I1 the byte store is committed only if the whole word said exactly HELD in the same sequence
//                I2 someone in the queue  =>  CONTENDED
//                I3 someone sleeps, and the lock is not held  =>  a wake is in flight, or the announcer has not looked again
// 5. Orderings   x86-TSO is modelled: a plain store waits in its thread's store buffer (`buffered`) until it drains at some
//                moment; an RMW drains first. membarrier(PRIVATE_EXPEDITED_RSEQ), thread by thread: drains its buffer, and
//                aborts the sequence it is in. Shape: asymmetric Dekker. The unlocker reads CONTENDED, then stores HELD = 0;
//                the waiter stores CONTENDED, then reads HELD; the membarrier is the fence of both.
// 6. Last touch  the byte store, `gone` says that the next holder has destroyed the lock
// 7. Wake ledger who set CONTENDED owes the wake for all who queued until it has looked at HELD again; they may sleep at
//                once. Else who clears HELD by RMW with a queue owes it.
// 8. Evidence    variants and figures in README.md. Controls: CONTROL_NO_RECHECK, CONTROL_NO_BARRIER, CONTROL_NO_ABORT,
//                CONTROL_WHOLE_WORD, CONTROL_LOAD_AFTER
//
// Only one store of each thread can wait in its buffer: what it does next to shared memory is an RMW. Preemption and signals abort
// a sequence at any moment; the abort handler does not try again but unlocks by RMW.

#ifndef N
#define N 3
#endif

bool held;       // byte 0 as it is in memory
bool contended;  // byte 1
bool waits[N];   // the queue, as a set: any of them may be told
bool offered[N];
byte waiting;    // how many there are in it

mtype = { nothing, byte_store, word_store };
mtype buffered[N] = nothing;
bool in_sequence[N];
bool aborted[N];
bool permit[N];
byte holders;
byte have_held;  // ONCE: each locks once, the last destroys the lock
bool gone;

#define word_is_held (held && !contended && waiting == 0)
#define touch assert(!gone)
#define drained (buffered[me] == nothing)

#ifdef ONCE
#define again_or_stop break
#else
#define again_or_stop skip
#endif

#ifdef CONTROL_WHOLE_WORD  // control: all eight bytes are stored, and with them a queue that was just published is erased
#define the_store word_store
#define drain(t) \
    if \
    :: buffered[t] == word_store -> held = false; contended = false; waiting = 0; i = 0; \
      do \
      :: i < N -> waits[i] = false; offered[i] = false; i++ \
      :: else -> i = 0; break \
      od \
    :: else \
    fi; \
    buffered[t] = nothing
#else
#define the_store byte_store
#define drain(t) \
    if \
    :: buffered[t] == byte_store -> held = false \
    :: else \
    fi; \
    buffered[t] = nothing
#endif

// The store buffer of a thread, which drains at any moment.
proctype buffer(byte t) {
  byte i;
end_buffer:
  do
  :: d_step { buffered[t] != nothing -> touch; drain(t) }
  od
}

// membarrier: every other thread executes a full barrier and leaves its sequence, one after the other.
inline membarrier(j) {
  j = 0;
  do
  :: j < N ->
    d_step {
      drain(j);
#ifndef CONTROL_NO_ABORT  // control: PRIVATE_EXPEDITED, a barrier only
      if
      :: in_sequence[j] -> aborted[j] = true
      :: else
      fi;
#endif
      j++
    }
  :: else -> j = 0; break
  od
}

inline enter(me) {
  held = true;
  holders++;
  assert(holders == 1);
#ifdef ONCE
  have_held++;
  if
  :: have_held == N -> gone = true
  :: else
  fi
#endif
}

#if N > 3
#define told_any (offered[0] || offered[1] || offered[2] || offered[3])
#elif N > 2
#define told_any (offered[0] || offered[1] || offered[2])
#else
#define told_any (offered[0] || offered[1])
#endif

// Tells any one of the queue, unless one is expected. Under the queue lock; the wake follows.
inline choose(told) {
  if
  :: waits[0] && !told_any -> told = 0
  :: waits[1] && !told_any -> told = 1
#if N > 2
  :: waits[2] && !told_any -> told = 2
#endif
#if N > 3
  :: waits[3] && !told_any -> told = 3
#endif
  :: told_any || waiting == 0 -> told = N
  fi;
  if
  :: told < N -> offered[told] = true
  :: else
  fi
}

inline wake(told) {
  if
  :: told < N -> permit[told] = true
  :: else
  fi;
  told = N
}

proctype thread(byte me) {
  byte told = N, i;
  bool first, took;
  do
  :: true ->
    if
    :: d_step { drained && !held && !contended && waiting == 0 -> touch; enter(me); took = true }
    :: d_step { drained && !held && (contended || waiting != 0) -> touch; enter(me); took = true }  // a barger
    :: d_step {  // announces itself: a CAS that finds HELD
        drained && held -> touch;
        waits[me] = true;
        waiting++;
        first = !contended;
        contended = true;
        took = false
      }
      if
      :: first ->
#ifndef CONTROL_NO_BARRIER  // control: the waiter's own fence only
        membarrier(i);
#endif
#ifndef CONTROL_NO_RECHECK  // control: sleeps without another look
        touch;
        if
        :: !held ->
#ifdef TELLS_ITSELF  // no control: this will do, since its own unlock sees to the others
          d_step { if :: !told_any -> told = me; offered[me] = true :: else fi }
#else
          atomic { choose(told) }
#endif
          wake(told)
        :: else
        fi
#endif
        first = false
      :: else
      fi;
      do
      :: took -> break
      :: !took && permit[me] ->
        permit[me] = false;
        d_step {  // claims
          touch;
          assert(waits[me]);
          if
          :: !held ->
            waits[me] = false; offered[me] = false; waiting--;
#ifndef HYSTERESIS
            if
            :: waiting == 0 -> contended = false
            :: else
            fi;
#endif
            enter(me);
            took = true
          :: else -> offered[me] = false
          fi
        }
      od
    fi;
    took = false;
#ifdef ONCE
    if
    :: gone -> break
    :: else
    fi;
#endif

    // unlock
    holders--;
    d_step { touch; in_sequence[me] = true; aborted[me] = false }
    if
    :: d_step { !aborted[me] && word_is_held -> touch }  // loads the word
      if
      :: d_step {  // the commit: one byte
          !aborted[me] -> touch;
          in_sequence[me] = false;
          buffered[me] = the_store
        }
#ifdef CONTROL_LOAD_AFTER  // control: looks for waiters after the store
        touch;
        told = N
#endif
      :: in_sequence[me] = false; goto by_rmw  // aborted, by membarrier or a preemption
      fi
    :: aborted[me] || !word_is_held -> in_sequence[me] = false;
by_rmw:
      if
      :: atomic {
          drained && waiting == 0 -> touch;
          assert(held);
          held = false;
#ifdef HYSTERESIS
          if
          :: true
          :: true -> contended = false
          fi
#else
          assert(!contended)
#endif
        }
      :: atomic { drained && waiting != 0 -> touch; assert(held && contended); held = false; choose(told) }
        wake(told)
      fi
    fi;
    again_or_stop
  :: true -> break
  od
}

init {
  byte n = 0;
  atomic {
    do
    :: n < N -> run thread(n); run buffer(n); n++
    :: else -> break
    od
  }
}
