// How an OS thread sleeps and is woken: the permit and the futex of wait/thread_context.cpp.
//
// 1. Promise     shown complete: an unpark is never lost, by whomever and whenever it is called, also for a wait that is long
//                over; so that park and unpark are what mutex_word.pml takes them for, a permit
// 2. Word        permit: empty, set, asleep, as m_permit; `in_kernel` is the kernel's queue of that futex
// 3. States      the owner waits for each of MESSAGES in turn; each sender leaves one and unparks, late or not
// 4. Invariants  I1, I2 of thread_context.cpp by the assertions
// 5. Orderings   all changes of m_permit are RMWs, which drain a store buffer: sequentially consistent. What is left before an
//                unpark is seen after the park it ends (O1).
// 6. Last touch  a parker outlives its unparkers
// 7. Wake ledger the unparker that replaced `asleep` owes the futex wake; a lost wake shows as an invalid end state
// 8. Evidence    variants in README.md. Controls: CONTROL_BLIND_FUTEX, CONTROL_STORES_ASLEEP, CONTROL_FORGETS_PERMIT
//
// SPURIOUS: signals and deadlines end the kernel's wait at any moment.

#ifndef MESSAGES
#define MESSAGES 3
#endif

mtype = { none, set, asleep };
mtype permit = none;
bool in_kernel;
byte left;   // by senders
byte taken;  // by the owner

proctype sender() {
  mtype before;
  left++;
  atomic { before = permit; permit = set }  //@ wait/thread_context.cpp | if (m_permit.exchange(permit, memory_order_release) == asleep) futex_wake(m_permit, 1);  // O1
  if
  :: before == asleep -> in_kernel = false
  :: else
  fi
}

inline park() {
#ifdef CONTROL_FORGETS_PERMIT  // control: a permit that was there is thrown away
  permit = none;
#else
  atomic { before = permit; permit = none }  //@ wait/thread_context.cpp | if (m_permit.exchange(empty, memory_order_acquire) == permit) return;  // O1
#endif
  if
#ifndef CONTROL_FORGETS_PERMIT
  :: before == set
#endif
  :: before != set ->
    assert(before == none);  // I1: `asleep` never outlives a park
#ifdef CONTROL_STORES_ASLEEP  // control: a store for the CAS
    permit = asleep;
    before = none;
#else
    atomic {  //@ wait/thread_context.cpp | if (m_permit.compare_exchange_strong(expected, asleep, memory_order_relaxed, memory_order_relaxed)) {
      before = permit;
      if
      :: permit == none -> permit = asleep
      :: else
      fi
    }
#endif
    if
    :: before == none ->
      atomic {  //@ wait/thread_context.cpp | futex_wait(m_permit, asleep, deadline);
#ifdef CONTROL_BLIND_FUTEX  // control: the kernel does not look at the word again
        in_kernel = true
#else
        if
        :: permit == asleep -> in_kernel = true
        :: else
        fi
#endif
      }
      do
      :: !in_kernel -> break
#ifdef SPURIOUS
      :: in_kernel -> in_kernel = false
#endif
      od
    :: else -> assert(before == set)
    fi;
    permit = none;  //@ wait/thread_context.cpp | m_permit.exchange(empty, memory_order_acquire);  // O1
    before = none
  fi
}

active proctype owner() {
  mtype before = none;
  do
  :: taken == MESSAGES -> break
  :: taken != MESSAGES && left > taken -> taken++
  :: taken != MESSAGES && left == taken -> park()
  od
}

init {
  byte n = 0;
  atomic {
    do
    :: n < MESSAGES -> run sender(); n++
    :: else -> break
    od
  }
}
