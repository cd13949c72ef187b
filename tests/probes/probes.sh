#!/usr/bin/env bash
# probes.sh are_those_of_the_docs PROGRAM DOCS: fails if a probe of ours in PROGRAM is not in the table of DOCS with as many arguments, or the other
# way round, or if what stands at one of its places is no nop.
# probes.sh each_wait_has_an_end PROGRAM: fails if, in a run of PROGRAM, in which some wait, not as many ends were told of as waits.
# probes.sh --self-test PROGRAM DOCS: fails if it would not find that the docs are wrong, or that there are no probes.
set -u
READELF=${READELF:-readelf} OBJDUMP=${OBJDUMP:-objdump}

places() {  # PROGRAM -> for each place of a probe: its name, how many arguments, where
  LC_ALL=C "$READELF" --notes "$1" | awk '
    $1 == "Provider:" { ours = $2 == "mortise" }
    $1 == "Name:" { name = $2 }
    $1 == "Location:" { at = $2; sub(/,/, "", at) }
    $1 == "Arguments:" && ours { print name, gsub(/@/, "@"), at }'
}

told() {  # DOCS -> of each row "| `name` | `argument`, ... |": the name, how many arguments
  awk -F'|' '/^\| `[a-z_]+` \|/ { name = $2; gsub(/[` ]/, "", name); print name, gsub(/`[a-z_]+`/, "", $3) }' "$1" | sort
}

check() {  # PROGRAM DOCS -> complaints
  local found; found=$(places "$1")
  diff <(told "$2") <(echo "$found" | awk 'NF { print $1, $2 }' | sort -u) |
    sed -n -e 's/^</in the docs, not in the program (name, arguments):/p' -e 's/^>/in the program, not in the docs (name, arguments):/p'
  local name arguments at
  while read -r name arguments at; do
    [ -n "$at" ] || continue
    "$OBJDUMP" --disassemble --no-show-raw-insn --start-address="$at" --stop-address=$((at + 1)) "$1" |
      grep -qE '^ *[0-9a-f]+:[[:space:]]+nop$' || echo "$name at $at is no nop"
  done <<<"$found"
}

each_wait_has_an_end() {  # PROGRAM, with gdb, which counts
  skip() { echo "probes: skipped: $*"; exit 0; }
  command -v gdb >/dev/null || skip "there is no gdb"
  unset DEBUGINFOD_URLS
  local told begun ended
  told=$(timeout 100 gdb -nx -batch -iex 'set breakpoint pending off' -iex 'set auto-load off' -ex 'break -probe-stap mortise:contention' \
    -ex 'break -probe-stap mortise:wait_over' -ex 'ignore 1 100000000' -ex 'ignore 2 100000000' -ex run -ex 'info breakpoints' \
    "$1" 2>&1 </dev/null)
  grep -qiE 'ptrace|not permitted|personality' <<<"$told" && skip "gdb may not trace"
  hits() { sed -n "/^$1 /,/^[2-9] /s/.*already hit \([0-9]*\) time.*/\1/p" <<<"$told" | head -1; }
  begun=$(hits 1) ended=$(hits 2)
  [ "${begun:-0}" -gt 0 ] || { echo "nobody waited: $told"; exit 1; }
  [ "$begun" = "${ended:-0}" ] || { echo "$begun waits, and ${ended:-0} ends"; exit 1; }
}

self_test() {  # PROGRAM DOCS
  local bad=0
  docs=$(mktemp) || exit 1
  trap 'rm -f "$docs"' EXIT
  expect() {  # WHAT PROGRAM DOCS
    [ -n "$(check "$2" "$3")" ] || { echo "it is not found that $1"; bad=1; }
  }
  [ "$(told "$2" | wc -l)" -ge 5 ] || { echo "the docs tell of hardly any"; bad=1; }
  grep -v '^| `handoff`' "$2" >"$docs"; expect "one is not in the docs" "$1" "$docs"
  sed 's/^| `handoff` | /&`another`, /' "$2" >"$docs"; expect "it has less arguments than that" "$1" "$docs"
  { cat "$2"; echo '| `hand_on` | `lock` | |'; } >"$docs"; expect "there is none of that name" "$1" "$docs"
  expect "the program has none" "$BASH" "$2"
  OBJDUMP=true expect "there is no nop" "$1" "$2"
  return $bad
}

case $1 in
  --self-test) self_test "$2" "$3"; exit ;;
  each_wait_has_an_end) each_wait_has_an_end "$2"; exit ;;
  are_those_of_the_docs) ;;
  *) echo "$1 is neither are_those_of_the_docs nor each_wait_has_an_end nor --self-test"; exit 2 ;;
esac
complaints=$(check "$2" "$3")
[ -z "$complaints" ] && exit 0
printf '%s\n' "$complaints"
exit 1
