#!/usr/bin/env bash
# header_cost.sh COMPILER INCLUDE_ROOT: what <mortise/lock/mutex.hpp> costs whoever includes it, preprocessed.
#
# November 2026, g++ 12.2: 41,277 lines, 1,411,220 bytes; <mutex>, <coroutine> and <stop_token>, which its interface names, are 35,473 lines of
# it. Its own part was 282 lines, 9,783 bytes at first, 440 before there were waits that a stop token ends. The caps: the whole 10 % above what was measured, its own part
# as noted with the commits that raised it. Who raises one says in the commit what it buys.
set -u
compiler=$1 root=$2
most_lines=45400 most_bytes=1552000        # all of it, with the standard library it was measured with
most_own_lines=930 most_own_bytes=33600    # what mortise adds, with any

cost() {  # HEADER... -> lines and bytes
  printf '#include <%s>\n' "$@" | "$compiler" -std=c++20 -I"$root" -E -P -x c++ - | wc -lc
}
read -r lines bytes < <(cost mortise/lock/mutex.hpp)
read -r standard_lines standard_bytes < <(cost atomic chrono concepts coroutine mutex optional stop_token utility)
read -r least_lines least_bytes < <(cost coroutine mutex stop_token)
own_lines=$((lines - standard_lines)) own_bytes=$((bytes - standard_bytes))
echo "mutex.hpp: $lines lines, $bytes bytes (own: $own_lines, $own_bytes); <mutex> + <coroutine> + <stop_token>: $least_lines, $least_bytes"

bad=0
over() { if [ "$2" -gt "$3" ]; then echo "$1 is $2, above its cap of $3"; bad=1; fi; }
[ "$lines" -gt 1000 ] || { echo "this measured nothing"; bad=1; }
over "its own part in lines" $own_lines $most_own_lines
over "its own part in bytes" $own_bytes $most_own_bytes
if [ "$("$compiler" -dumpversion)" = 12 ]; then
  over "the whole in lines" "$lines" $most_lines
  over "the whole in bytes" "$bytes" $most_bytes
fi
exit $bad
