// The unlock without an RMW: a restartable sequence that clears one byte, against waiters that announce themselves and then
// interrupt all sequences (lock/mutex.cpp, base/restartable.hpp).
//
// 1. Promise     shown complete: one holder; nobody sleeps for ever; after the store that frees the lock the unlocker does
//                not touch it (the next holder may destroy it)
// 2. Word        byte 0: HELD. Byte 1: CONTENDED, unlocks go by RMW, set by who queues first, cleared by an unlock that owes
//                nothing, or a later one; QUEUE_LOCK. The queue stands for the head's bytes; what is done under QUEUE_LOCK is one
//                step here, but for the announcement: mutex_word.pml has it.
// 3. States      free, held, held and contended; see the code below
// 4. Invariants  I1 HELD and QUEUE_LOCK: the word is the owner's of QUEUE_LOCK, but for who has just announced itself
//                I5 QUEUE_LOCK, or someone in the queue whose wake is not in flight  =>  CONTENDED
// 5. Orderings   x86-TSO is modelled: a plain store waits in its thread's store buffer (`buffered`) until it drains at some
//                moment; an RMW drains first. membarrier(PRIVATE_EXPEDITED_RSEQ), thread by thread: drains its buffer, and
//                aborts the sequence it is in. Shape: asymmetric Dekker. The unlocker reads CONTENDED, then stores HELD = 0;
//                the waiter stores CONTENDED, then reads HELD; the membarrier is the fence of both.
// 6. Last touch  the byte store, `gone` says that the next holder has destroyed the lock
// 7. Wake ledger who set CONTENDED takes the lock if it finds it free: nobody queued meanwhile. Else who clears HELD by RMW
//                with a queue owes a wake.
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
bool queue_lock;
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

#define word_is_held (held && !contended)  //@ base/restartable.hpp | "cmpb $0, %[second]\n\t"
#define touch assert(!gone)
#define drained (buffered[me] == nothing)

#if defined(CONTROL_NO_RECHECK) || defined(CONTROL_NO_BARRIER) || defined(CONTROL_NO_ABORT) || defined(CONTROL_WHOLE_WORD)
#define keeps_I1 skip
#else
#define keeps_I1 assert(held && contended)
#endif

#ifdef ONCE
#define again_or_stop break
#else
#define again_or_stop skip
#endif

#ifdef CONTROL_WHOLE_WORD  // control: all eight bytes are stored, and with them a queue that was just published is erased
#define the_store word_store
#define drain(t) \
    if \
    :: buffered[t] == word_store -> held = false; contended = false; queue_lock = false; waiting = 0; i = 0; \
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
    :: d_step {  //@ lock/mutex.cpp | std::uint64_t ours = (w & ~word::quiet_most) | word::queue_lock;
        drained && held && !queue_lock -> touch;
        first = !contended;
        contended = true;
        queue_lock = true;
        took = false
      }
      if
      :: first ->  //@ lock/mutex.cpp | if (announces) {
#ifndef CONTROL_NO_BARRIER  // control: the waiter's own fence only
        membarrier(i);  //@ lock/mutex.cpp | restartable::interrupt_all();
        skip;
#endif
#ifndef CONTROL_NO_RECHECK  // control: sleeps without another look
        d_step {  //@ lock/mutex.cpp | if (m_word.compare_exchange_strong(expected, w | word::held, memory_order_acquire, memory_order_relaxed))
          touch;
          if
          :: !held -> queue_lock = false; enter(me); took = true
          :: else
          fi
        }
#endif
        first = false
      :: else
      fi;
      if
      :: took
      :: !took ->
        d_step {  //@ lock/mutex.cpp | m_word.store(bits_of(head) | flags, memory_order_release);  // O3
          touch;
          keeps_I1;
          waits[me] = true;
          waiting++;
          held = true;  // a store of the whole word, as it was seen
          queue_lock = false
        }
      fi;
      do
      :: took -> break
      :: !took && permit[me] ->
        permit[me] = false;
        d_step {  //@ lock/mutex_turns.cpp | until_free(age_clock_now() + turn, looks_of_a_standby, otherwise::keeps_its_offer)
          !queue_lock -> touch;  //@ lock/mutex.cpp | std::uint64_t w = take_queue_lock();
          assert(waits[me]);
          first = !contended;
          contended = true;
          queue_lock = true
        }
        if
        :: first ->
#ifndef CONTROL_NO_BARRIER
          membarrier(i);
          skip
#endif
        :: else
        fi;
        d_step {  //@ lock/mutex.cpp | bool mutex::claim(wait::waiter& n, otherwise what) noexcept {
          touch;
          first = false;
          queue_lock = false;
          if
          :: !held ->
            waits[me] = false; offered[me] = false; waiting--;
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
      :: d_step {  //@ base/restartable.hpp | "movb $0, %[byte]\n"
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
          drained && (waiting == 0 || told_any) && !queue_lock -> touch;  //@ lock/mutex.cpp | if (m_word.compare_exchange_weak(w, after, memory_order_release, memory_order_relaxed)) {  // O2
          assert(held);
          held = false;
          if
          :: true
          :: true -> contended = false
          fi
        }
      :: atomic {
          drained && waiting != 0 && !told_any && !queue_lock -> touch;
          assert(held && contended);
          held = false;
          choose(told)
        }
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
