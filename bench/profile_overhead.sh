#!/usr/bin/env bash
# REPETITIONS=5 FOR=1s profile_overhead.sh COMMAND [BEFORE]: what `mortise run --profile` costs: throughput with it, as a share of
# throughput without, in pairs that take turns: the median of the pairs, and the best of all against the best, which is what
# other work on the machine spoils least. With BEFORE, a command that was built elsewhere, its throughput is held against COMMAND's too.
# Where tasks sleep the throughput is the sleep's, so there it is the CPU time of an operation.
set -eu
command=$1
before=${2:-}
repetitions=${REPETITIONS:-5}
for_each=${FOR:-1s}
file=$(mktemp)
trap 'rm -f "$file"' EXIT

value() { sed -n "s/.*\"$1\":\([0-9.e+-]*\).*/\1/p"; }  # of a JSON line
figure() {  # cpu|ops COMMAND ARGS... -> operations in a second, of CPU time or as it passes
  local key=$1 out
  shift
  out=$("$@" --for "$for_each" --json)
  if [ "$key" = cpu ]; then
    awk "BEGIN { print $(value ops <<<"$out") * 1e9 / $(value cpu_ns <<<"$out") }"
  else
    value ops_per_s <<<"$out"
  fi
}
best() { sort -g | tail -1; }
share() { awk "BEGIN { printf \"%.3f\", $1 / $2 }"; }
median() { sort -g | sed -n "$(((repetitions + 1) / 2))p"; }

printf '%-44s %12s %9s %9s %11s %9s %11s\n' run 'per second' on/off off/off off/before 'best on' 'best before'
while read -r key words; do
  ons=() offs=() olds=() pairs=() controls=() befores=()
  for ((i = 0; i < repetitions; ++i)); do
    off=$(figure "$key" "$command" run $words)
    on=$(figure "$key" "$command" run $words --profile "$file")
    again=$(figure "$key" "$command" run $words)
    ons+=("$on") offs+=("$off" "$again")
    pairs+=("$(share "2 * $on" "($off + $again)")")
    controls+=("$(share "$again" "$off")")
    [ -n "$before" ] || continue
    old=$(figure "$key" "$before" run $words)
    olds+=("$old") befores+=("$(share "$again" "$old")")
  done
  of() { local how=$1; shift; [ $# = 0 ] || printf '%s\n' "$@" | "$how"; }
  most=$(of best "${offs[@]}")
  printf '%-44s %12.0f %9s %9s %11s %9s %11s\n' "$words$([ "$key" != cpu ] || echo ', of CPU time')" "$most" \
    "$(of median "${pairs[@]}")" "$(of median "${controls[@]}")" "$(of median "${befores[@]}")" \
    "$(share "$(of best "${ons[@]}")" "$most")" "$([ -z "$before" ] || share "$most" "$(of best "${olds[@]}")")"
done <<'CELLS'
cpu --sleep 1ms
ops --sleep 0
ops --sleep 0 --workers 1
ops --sleep 0 --tasks coroutine
ops --sleep 0 --tasks thread
ops --sleep 0 --tasks thread --readers 7 --writers 1
CELLS
