// Joining a scope: the count of its tasks and who joins, S1 and S2 of task/scope_core.hpp.
//
// 1. Promise     shown complete: no join sleeps through the end of the last task; a task that has counted itself out may wake who
//                joins the next scope that uses the same core, which does no harm
// 2. Word        live, joiner: as in scope_core
// 3. States      SCOPES one after the other use one core; each has TASKS tasks and is joined by its own thread
// 4. Invariants  a core in the pool has no live task
// 5. Orderings   S2 is a Dekker. The joiner's store is sequentially consistent, on x86 an RMW; in CONTROL_RELEASE_STORE it waits
//                in a buffer. The tasks' count is an RMW.
// 6. Last touch  the last task reads `joiner` when the scope may be gone: cores are recycled, never freed
// 7. Wake ledger the last task owes the joiner a wake; a lost one shows as an invalid end state
// 8. Evidence    variants in README.md. Controls: CONTROL_RELEASE_STORE, CONTROL_LOOKS_FIRST

#ifndef TASKS
#define TASKS 2
#endif
#ifndef SCOPES
#define SCOPES 2
#endif

#define nobody SCOPES
byte live;
byte joiner = nobody;
bool permit[SCOPES];
byte scope;  // whose turn it is
bool buffered;

proctype task() {
  byte j;
  bool last;
  atomic { last = (live == 1); live-- }  //@ task/scope_core.hpp | if (live.fetch_sub(1, memory_order_seq_cst) != 1) return;                            // S1, S2
  if
  :: last ->
    j = joiner;  //@ task/scope_core.hpp | if (wait::parker* j = joiner.load(memory_order_seq_cst); j != nullptr) j->unpark();  // S2
    if
    :: j != nobody -> permit[j] = true
    :: else
    fi
  :: else
  fi
}

proctype owner(byte me) {
  byte n;
  atomic { scope == me -> live = TASKS }
  atomic {
    do
    :: n < TASKS -> run task(); n++
    :: else -> break
    od
  }
#ifdef CONTROL_LOOKS_FIRST  // control: it looks once, then says that it joins
  n = live;
  joiner = me;
#else
  if
  :: live == 0 -> goto joined  //@ task/task_scope.cpp | if (empty()) return;
  :: else
  fi;
#ifdef CONTROL_RELEASE_STORE  // control: the store waits in a buffer
  buffered = true;
#else
  joiner = me;  //@ task/task_scope.cpp | m_core.joiner.store(n.who, memory_order_seq_cst);  // S2
#endif
  n = live;
#endif
  do  //@ task/task_scope.cpp | while (!empty()) wait::this_context().park(never);
  :: n == 0 -> break
  :: else ->
    permit[me] -> permit[me] = false;
    n = live
  od;
#ifdef CONTROL_RELEASE_STORE
  !buffered;
#endif
  joiner = nobody;  //@ task/task_scope.cpp | void task_scope::no_joiner() noexcept { m_core.joiner.store(nullptr, memory_order_seq_cst); }
joined:
  atomic { assert(live == 0); n = 0; scope++ }  // the core goes to the pool, and from there to the next
}

#ifdef CONTROL_RELEASE_STORE
active proctype buffer() {
end_buffer:
  do
  :: d_step { buffered -> joiner = scope; buffered = false }
  od
}
#endif

init {
  byte n = 0;
  atomic {
    do
    :: n < SCOPES -> run owner(n); n++
    :: else -> break
    od
  }
}
