#!/usr/bin/env bash
# gdb_test.sh PROGRAM live|core|live_and_core checked|watched|unchecked DIRECTORY: gdb on PROGRAM (waiting.cpp), without any setting but that
# its folder is safe. Fails unless the commands show who is there, what each waits for and where, the holder and the order.
#   live  a process           core  of the kernel's, by SIGABRT           live_and_core  a process, and the core that gdb makes of it
set -u
program=$1 how=$2 checked=$3 work=$4
rm -rf "$work"
mkdir -p "$work"
cd "$work" || exit 1
[ "$checked" = watched ] && export WAITING_IS_WATCHED=1
export MALLOC_ARENA_MAX=1  # gdb's cores have all of an arena
unset DEBUGINFOD_URLS

skip() { echo "gdb: skipped: $*"; exit 0; }
command -v gdb >/dev/null || skip "there is no gdb"
[ "$(gdb -nx -batch -ex 'python print(6 * 7)' 2>/dev/null)" = 42 ] || skip "this gdb has no Python"

in_gdb() {  # NAME ARGS...: gdb's output into NAME.out
  local name=$1
  shift
  timeout 200 gdb -nx -batch -iex "add-auto-load-safe-path $(dirname "$program")" -iex 'set width 0' -iex 'set style enabled off' \
    -iex 'set confirm off' "$@" >"$name.out" 2>"$name.err" </dev/null
}
look=(-ex 'mortise tasks' -ex 'mortise locks' -ex 'mortise bt first' -ex 'mortise bt second' -ex 'mortise bt spins'
  -ex 'mortise bt blocks' -ex 'mortise with first info symbol $pc' -ex 'frame function all_wait'
  -ex "print 'door'" -ex "print 'shelf'" -ex "print 'state'" -ex 'print never_awaited' -ex 'mortise lock &cellar'
  -ex 'thread 3' -ex 'mortise bt acquires')

bad=0
expect() {  # WHAT PATTERN: in $lines, whose ends are ~
  grep -qE -- "$2" <<<"$lines" || { echo "$where: no $1: $2"; bad=1; }
}

check() {  # NAME: all that was asked for stands in NAME.out
  where=$1
  local anon='<\(anonymous namespace\)::' at=' at waiting.cpp:[0-9]+~'
  lines=$(tr '\n' '~' <"$1.out")
  expect "fiber" "~fiber [0-9]+ 'first'  parked, mutex 0x[0-9a-f]+ ${anon}door>, 1 of 3, for [^~]* in knock$at"
  expect "coroutine" "~coroutine [0-9]+ 'second'  parked, mutex 0x[0-9a-f]+ ${anon}door>, 2 of 3, for [^~]* in enter, which begins$at*[^~]*, at its co_await 1~"
  expect "one that runs" "~fiber [0-9]+ 'spins'  running on worker 0 \(gdb's thread [0-9]+\), [^~]*in spin$at"
  expect "one that has not begun" "~fiber [0-9]+  queued, begins with keep_busy::lambda#3~"
  expect "sleeping fiber" "~fiber [0-9]+ 'in the cellar'  sleeping, sleep_for, in operator\(\)$at"
  expect "sleeping coroutine" "~coroutine [0-9]+ 'sleeps'  sleeping, in operator\(\), which begins at"
  expect "coroutine that blocks" "~coroutine [0-9]+ 'blocks'  sleeping, sleep_for, in operator\(\)$at"
  expect "wait for a condition" "~fiber [0-9]+ 'wants 43'  parked, condition of a guarded 0x[0-9a-f]+ ${anon}state[^>]*>, 1 of 1, "
  expect "wait for a semaphore" "~fiber [0-9]+ 'acquires'  parked, semaphore 0x[0-9a-f]+ ${anon}permits>, 1 of 1, "
  expect "wait for a shared_mutex" "~fiber [0-9]+ 'reads'  parked, shared_mutex 0x[0-9a-f]+ ${anon}shelf>, 1 of 1, "
  expect "number of tasks" "~10 tasks, 2 workers~"

  local held='held; by whom is known in checked builds, and where it is watched' by_fiber="~mutex 0x[0-9a-f]+ ${anon}cellar>: held"
  if [ "$checked" != unchecked ]; then
    held='held by thread [0-9]+ \(gdb.s 1\)'
    by_fiber="$by_fiber by fiber [0-9]+ 'in the cellar'~"
  fi
  expect "holder and order" "~mutex 0x[0-9a-f]+ ${anon}door>: $held, 3 waiting~  1\. fiber [0-9]+ 'first', for [^~]*~  2\. coroutine [0-9]+ 'second', for [^~]*~  3\. thread [0-9]+ \(gdb's [0-9]+\), for "
  expect "mutex that nobody waits for, in the list and by itself" "$by_fiber.*$by_fiber"

  expect "frames of a fiber" "~fiber [0-9]+ 'first'~begins with three_at_the_door::lambda#1~#0 [^~]*\b(switch_stack|leave|jump)\b.*mutex::lock_slow.*::knock \(\) at [^~]*waiting.cpp:[0-9]+~.*~#[0-9]+ [^~]*worker::fiber_main[^~]*~coroutine"
  expect "frames of a coroutine" "~coroutine [0-9]+ 'second'~#0 +0x[0-9a-f]+ in enter, [^~]*~#1 +0x[0-9a-f]+ in visit, [^~]*~#2 +0x[0-9a-f]+ in operator\(\), [^~]*~fiber"
  expect "frames of one that runs" "~fiber [0-9]+ 'spins'~begins with keep_busy::lambda#1~#0 .*::spin \(\) at .*worker::fiber_main[^~]*~coroutine [0-9]+ 'blocks'~#0 "
  # Thread 3 spins, where it is optimised in a function that was inlined.
  expect "frames seen from another thread" "~fiber [0-9]+ 'acquires'~begins with [^~]*~#0 [^~]*task_detail::[^~]*\b(switch_stack|leave|jump)\b"
  expect "command on a fiber's stack" "~[^~#]*task_detail::[^~]*\b(switch_stack|leave|jump)\b[^~]* in section .text[^~]*~"
  expect "the thread's own frames afterwards" "~#[0-9]+ [^~]*::all_wait \("
  expect "mutex printed" ' = mortise::mutex \(held, 3 waiting\)~'
  expect "shared_mutex printed" ' = mortise::shared_mutex \(held by a writer, 1 waiting\)~'
  expect "guarded printed" ' = mortise::guarded \(free\) = {value = 42}~'
  expect "task printed" ' mortise::task \(in enter, which begins at waiting.cpp:[0-9]+, not started\)~'
  if grep -E 'Python Exception|Traceback|Error occurred' "$1.err"; then
    echo "$where: the script failed"
    bad=1
  fi
}

case $how in
  live | live_and_core)
    [ "$how" = live ] && keep=() || keep=(-ex 'mortise core made.core')
    in_gdb live -ex 'break all_wait' -ex run "${look[@]}" "${keep[@]}" -ex kill "$program"
    if ! grep -q 'all_wait (' live.out && grep -qiE 'ptrace|not permitted|personality' live.err; then
      skip "gdb may not trace: $(grep -iE 'ptrace|not permitted|personality' live.err | head -1)"
    fi
    check live
    ;;&
  live_and_core)
    in_gdb of_core "${look[@]}" "$program" made.core
    check of_core
    ;;
  core)
    pattern=$(cat /proc/sys/kernel/core_pattern)
    case $pattern in '|'* | */* | *%*) skip "the kernel leaves cores elsewhere: $pattern" ;; esac
    ulimit -c unlimited || skip "cores are limited"
    { bash -c 'exec "$0" and_abort' "$program"; } 2>/dev/null
    core=$(find . -name "$pattern*" -not -name '*.out' -not -name '*.err')
    [ -n "$core" ] || skip "the kernel left no core"
    in_gdb of_core "${look[@]}" "$program" "$core"
    check of_core
    ;;
esac
[ $bad = 0 ] || { echo "what gdb said is in $work"; exit 1; }
rm -rf "$work"
