#!/usr/bin/env bash
# header_cost.sh COMPILER INCLUDE_ROOT: what <mortise/lock/mutex.hpp> costs whoever includes it, preprocessed.
#
# November 2026, g++ 12.2: 37,528 lines, 1,288,688 bytes; <mutex> and <coroutine>, which its interface names, are 25,563 lines of it, and
# <chrono> 11,700. Its own part was 282 lines, 9,783 bytes at first. The caps: the whole 10 % above what was measured, its own part
# as noted with the commits that raised it. Who raises one says in the commit what it buys.
set -u
compiler=$1 root=$2
most_lines=41300 most_bytes=1418000        # all of it, with the standard library it was measured with
most_own_lines=440 most_own_bytes=15700    # what mortise adds, with any

cost() {  # HEADER... -> lines and bytes
  printf '#include <%s>\n' "$@" | "$compiler" -std=c++20 -I"$root" -E -P -x c++ - | wc -lc
}
read -r lines bytes < <(cost mortise/lock/mutex.hpp)
read -r standard_lines standard_bytes < <(cost atomic chrono coroutine mutex)
read -r least_lines least_bytes < <(cost coroutine mutex)
own_lines=$((lines - standard_lines)) own_bytes=$((bytes - standard_bytes))
echo "mutex.hpp: $lines lines, $bytes bytes (own: $own_lines, $own_bytes); <mutex> + <coroutine>: $least_lines, $least_bytes"

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
