// Tasks for workers that are about to sleep: the inbox and the idle count of task/runtime_core.hpp.
//
// 1. Promise     shown complete: no task lies in the inbox while all workers sleep
// 2. Word        inbox: m_inbox_size; marked, count: m_idle, m_idle_count; wake: m_wake of each worker
// 3. States      SENDERS leave one task each; workers take what is there, or go idle and sleep; patrols and timers wake one at any
//                moment (PATROLS)
// 4. Invariants  the count may differ from the bits while one is between the two; what is promised holds nevertheless
// 5. Orderings   R1: sequentially consistent RMWs and loads. W1: m_wake is set and cleared by RMWs.
// 6. Last touch  none: the runtime outlives them
// 7. Wake ledger who puts a task into the inbox owes a wake if a worker is idle; a lost one shows as an invalid end state
// 8. Evidence    variants in README.md. Controls: CONTROL_LOOKS_FIRST, CONTROL_READS_FIRST

#ifndef SENDERS
#define SENDERS 2
#endif
#define WORKERS 2

byte inbox;
bool marked[WORKERS];
byte count = 10;  // 10 is none: it may be below that for a moment
bool wake[WORKERS];
byte done;

//@ task/runtime_core.cpp | if ((m_idle[index / 64].fetch_and(~bit, memory_order_seq_cst) & bit) == 0) return false;
//@ task/runtime_core.cpp | m_idle_count.fetch_sub(1, memory_order_seq_cst);
inline no_longer_idle(index, was) {
  atomic { was = marked[index]; marked[index] = false }
  if
  :: was -> count--
  :: else
  fi
}

proctype sender() {
  bool was, seen;
  byte index;
#ifdef CONTROL_READS_FIRST  // control: the idle count is read before the inbox is counted up
  seen = (count != 10);
  inbox++;
#else
  inbox++;       //@ task/runtime_core.cpp | m_inbox_size.fetch_add(1, memory_order_seq_cst);  // R1
  seen = (count != 10);  //@ task/runtime_core.cpp | if (idle() != 0) wake_one();  // R1
#endif
  do
  :: !seen -> break
  :: seen && index == WORKERS -> break
  :: seen && index < WORKERS && !marked[index] -> index++
  :: seen && index < WORKERS && marked[index] ->  //@ task/runtime_core.cpp | if (no_longer_idle(index)) return m_workers[index]->wake();
    no_longer_idle(index, was);
    if
    :: was ->
      wake[index] = true;  //@ task/worker.cpp | m_wake.exchange(1, memory_order_release);  // W1; an RMW, so that it does not hide an earlier wake's release
      break
    :: else
    fi
  od;
  atomic { was = false; seen = false; index = 0 }
}

//@ task/runtime_core.cpp | m_idle[index / 64].fetch_or(std::uint64_t{1} << (index % 64), memory_order_seq_cst);  // R1
//@ task/runtime_core.cpp | m_idle_count.fetch_add(1, memory_order_seq_cst);                                      // R1
#define announce \
    marked[me] = true; \
    count++

proctype worker(byte me) {
  bool was;
  do
  :: inbox > 0 ->  //@ task/worker.cpp | if (m_home.inbox_filled() && now - m_gave_at > first_patrol) {
    d_step {       // under the inbox's lock
      if
      :: inbox > 0 -> inbox--; done++
      :: else
      fi
    }
  :: inbox == 0 ->  // goes idle
#ifdef CONTROL_LOOKS_FIRST  // control: it looks, then announces itself
    was = (inbox > 0);
    announce;
#else
    announce;
    was = (inbox > 0);  //@ task/worker.cpp | if ((!m_home.inbox_filled() || just_gave) && !m_home.stopping()) {
#endif
    if
    :: was
    :: else ->
      if  //@ task/worker.cpp | futex_wait(m_wake, 0, look_again);
      :: wake[me]
#ifdef PATROLS
      :: true
#endif
      :: done == SENDERS -> break  // all is done: the runtime ends
      fi
    fi;
    no_longer_idle(me, was);  //@ task/worker.cpp | m_home.no_longer_idle(m_index);
    wake[me] = false;         //@ task/worker.cpp | m_wake.exchange(0, memory_order_acquire);  // W1
    was = false
  od
}
init {
  byte n = 0;
  atomic {
    do
    :: n < WORKERS -> run worker(n); n++
    :: else -> break
    od;
    n = 0;
    do
    :: n < SENDERS -> run sender(); n++
    :: else -> break
    od
  }
}
