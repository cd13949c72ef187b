#!/usr/bin/env bash
# profile_overhead.sh COMMAND [BEFORE]: what `mortise run --profile` costs: throughput with it, as a share of throughput without, in pairs
# that take turns; medians of five. With BEFORE, a command that was built elsewhere, its throughput is held against COMMAND's too.
# Where tasks sleep the throughput is the sleep's, so there it is the CPU time of an operation.
set -eu
command=$1
before=${2:-}
repetitions=5
file=$(mktemp)
trap 'rm -f "$file"' EXIT

value() { sed -n "s/.*\"$1\":\([0-9.e+-]*\).*/\1/p"; }  # of a JSON line
figure() {  # cpu|ops COMMAND ARGS... -> operations in a second, of CPU time or as it passes
  local key=$1 out
  shift
  out=$("$@" --for 1s --json)
  if [ "$key" = cpu ]; then
    awk "BEGIN { print $(value ops <<<"$out") * 1e9 / $(value cpu_ns <<<"$out") }"
  else
    value ops_per_s <<<"$out"
  fi
}
median() { sort -g | sed -n "$(((repetitions + 1) / 2))p"; }

printf '%-42s %12s %9s %9s %9s\n' run "per second" "on/off" "off/off" "off/before"
while read -r key words; do
  [ -n "$key" ] || continue
  ratios=() controls=() olds=() plain=()
  for ((i = 0; i < repetitions; ++i)); do
    off=$(figure "$key" "$command" run $words)
    on=$(figure "$key" "$command" run $words --profile "$file")
    again=$(figure "$key" "$command" run $words)
    plain+=("$off")
    ratios+=("$(awk "BEGIN { print 2 * $on / ($off + $again) }")")
    controls+=("$(awk "BEGIN { print $again / $off }")")
    if [ -n "$before" ]; then
      old=$(figure "$key" "$before" run $words)
      olds+=("$(awk "BEGIN { print $again / $old }")")
    fi
  done
  printf '%-42s %12.0f %9.3f %9.3f %9s\n' "$words$([ "$key" != cpu ] || echo ", of CPU time")" "$(printf '%s\n' "${plain[@]}" | median)" \
    "$(printf '%s\n' "${ratios[@]}" | median)" "$(printf '%s\n' "${controls[@]}" | median)" \
    "$([ -z "$before" ] || printf '%s\n' "${olds[@]}" | median)"
done <<'CELLS'
cpu --sleep 1ms
ops --sleep 0
ops --sleep 0 --workers 1
ops --sleep 0 --tasks coroutine
ops --sleep 0 --tasks thread
ops --sleep 0 --tasks thread --readers 7 --writers 1
CELLS
