#!/usr/bin/env bash
# chaos.sh CASE WHAT...: the cases of CMakeLists.txt.
set -u
name=$1
shift
fail() { printf '%s\n' "${said-}" "chaos.$name: $1"; exit 1; }
seed_in() { sed -n 's/^mortise: chaos .*, MORTISE_CHAOS_SEED=\([0-9]*\)$/\1/p' <<<"$1"; }
unset MORTISE_CHAOS MORTISE_CHAOS_SEED MORTISE_CHAOS_QUIET

case $name in
  # The bug: forced migration leaves tasks where they are. Control: without it most of them stay.
  every_suspension_migrates)
    said=$(MORTISE_CHAOS=migrate "$1" all 2>&1) || fail "a task suspended and stayed"
    printf '%s\n' "$said"
    said=$(MORTISE_CHAOS=none "$1" few 2>&1) || fail "the control: without forced migration nearly all move as well"
    printf '%s\n' "$said"
    ;;
  # The bug: a failure cannot be looked for again, since nobody knows the seed.
  seed_is_printed_and_taken)
    said=$(MORTISE_CHAOS_SEED=4711 "$1" 2>&1) || fail "it failed"
    [ "$(seed_in "$said")" = 4711 ] || fail "the seed that was given is not printed, once"
    said=$("$1" 2>&1) || fail "it failed"
    one=$(seed_in "$said")
    said=$("$1" 2>&1) || fail "it failed"
    two=$(seed_in "$said")
    [ -n "$one" ] && [ -n "$two" ] && [ "$one" != "$two" ] || fail "without a seed there is not a new one each time"
    said=$(MORTISE_CHAOS=delay,steal MORTISE_CHAOS_SEED=5 "$1" 2>&1) || fail "it failed"
    grep -qx 'mortise: chaos delay steal, MORTISE_CHAOS_SEED=5' <<<"$said" || fail "what is on is not said"
    said=$(MORTISE_CHAOS=none "$1" 2>&1) || fail "it failed"
    ! grep -q 'mortise:' <<<"$said" || fail "it speaks although nothing is on"
    said=$(MORTISE_CHAOS_QUIET=1 MORTISE_CHAOS_SEED=5 "$1" 2>&1) || fail "it failed"
    ! grep -q 'mortise:' <<<"$said" || fail "it speaks although it was told not to"
    said=$(MORTISE_CHAOS_QUIET=1 "$1" 2>&1) || fail "it failed"
    [ -n "$(seed_in "$said")" ] || fail "it keeps a seed to itself that nobody knows"
    ;;
  bad_settings_are_named)
    said=$( (ulimit -c 0; MORTISE_CHAOS=delay,earthquake "$1") 2>&1) && fail "it ran"
    grep -q "^mortise: MORTISE_CHAOS: 'earthquake' is none of" <<<"$said" || fail "not named"
    said=$( (ulimit -c 0; MORTISE_CHAOS_SEED=0x7 "$1") 2>&1) && fail "it ran"
    grep -q "^mortise: MORTISE_CHAOS_SEED: '0x7' is not a number" <<<"$said" || fail "not named"
    ;;
  # The bug: chaos costs time and finds nothing. Control: the same lock without the fault passes under the same chaos.
  missed_wake_is_found)
    found=0
    for seed in 1 2 3 4 5 6 7 8 9 10; do
      MORTISE_CHAOS=preempt,delay,spurious MORTISE_CHAOS_SEED=$seed "$1" faulty >/dev/null 2>&1
      case $? in 0) ;; 1) found=$((found + 1)); [ $found -ge 3 ] && break ;; *) fail "seed $seed: it failed otherwise" ;; esac
    done
    plain=0
    for run in 1 2 3; do
      MORTISE_CHAOS=none "$1" faulty >/dev/null 2>&1 || plain=$((plain + 1))
    done
    echo "chaos found the missed wake in $found of $seed runs, a plain run in $plain of 3"
    [ $found -ge 3 ] || fail "not found in three runs of ten"
    for seed in 1 2 3; do
      said=$(MORTISE_CHAOS_SEED=$seed "$1" sound 2>&1) || fail "seed $seed: a report for a lock without a fault"
    done
    ;;
  # The bug: an object whose fast path knows no chaos is linked with a library that does, or a wait with another layout.
  objects_do_not_mix)
    compiler=$1 include=$2 library=$3
    shift 3
    work=$(mktemp -d) || exit 1
    trap 'rm -rf "$work"' EXIT
    echo '#include <mortise/lock/mutex.hpp>
      int main() { mortise::mutex m; m.lock(); m.unlock(); }' >"$work/main.cpp"
    build() { "$compiler" "$@" -std=c++20 -I"$include" "$work/main.cpp" "$library" -pthread -o "$work/program" 2>&1; }
    said=$(build "$@" -DMORTISE_CHAOS=1) || fail "chaos with chaos does not link"
    said=$(build "$@") && fail "an object without chaos was linked with the library of a chaos build"
    grep -q 'undefined reference to `mortise::v0::' <<<"$said" || fail "not for the tag"
    ;;
  *) fail "no such case" ;;
esac
