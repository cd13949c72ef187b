#!/usr/bin/env bash
# expect.sh clean COMMAND...          it ends with 0 and no sanitizer has said anything
# expect.sh passes COMMAND...         the same for a test program of its own
# expect.sh report PATTERN COMMAND... it fails, and every PATTERN (extended, over lines, several split by '&&') is in what it printed
set -u
what=$1
shift
patterns=
if [ "$what" = report ]; then patterns=$1; shift; fi
output=$("$@" 2>&1)
status=$?

fail() { printf '%s\n--- exit code %s: %s\n' "$output" "$status" "$1"; exit 1; }

# Something that a sanitizer, or valgrind, says and a program does not.
said=$(grep -E 'Sanitizer|ASan|runtime error:|client switching stacks|^==[0-9]+== (Invalid|Conditional|Use of|Syscall|Process terminating)' <<<"$output")
case $what in
  clean | passes)
    [ "$status" = 0 ] || fail "the program without a fault failed"
    [ -z "$said" ] || fail "a report for a program without a fault"
    if [ "$what" = clean ]; then end='came to its end'; else end='\[  PASSED  \] [1-9]'; fi
    grep -q "$end" <<<"$output" || fail "the program did not run"
    ;;
  report)
    # 3: it could not plant what it should
    case $status in 0 | 3) fail "no failure for the planted fault" ;; esac
    while [ -n "$patterns" ]; do
      pattern=${patterns%%&&*}
      grep -qzE -- "$pattern" <<<"$output" || fail "'$pattern' is not in the report"
      [ "$patterns" = "$pattern" ] && break
      patterns=${patterns#*&&}
    done
    ;;
  *) echo "clean, passes or report"; exit 2 ;;
esac
