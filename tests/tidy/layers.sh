#!/usr/bin/env bash
# layers.sh TREE: fails on an #include along an arrow that layers.txt does not draw. Tests obey too: what crosses
# layers is tested in tests/. layers.sh --self-test: fails if it would miss a planted arrow.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

check() {  # TREE -> one line for each wrong arrow
  (cd "$1" && find src/mortise app bench -name '*.[chi]pp' -print 2>/dev/null | sort | xargs -r grep -HnE \
    '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]') | awk '
    NR == FNR && $1 == "layer" { known[$2] = 1; for (i = 3; i <= NF; ++i) may[$2, $i] = 1; next }
    NR == FNR && $1 == "only"  { for (i = 3; i <= NF; ++i) user[$2] = user[$2] " " $i; next }
    NR == FNR { next }
    {
      split($0, at, ":")
      file = at[1]
      sub(/^src\/mortise\//, "", file)
      from = file
      if (sub(/\/.*/, "", from) == 0) next  # above the layers: mortise.hpp
      if (!(from in known)) { print at[1] ": the folder " from " is not in layers.txt"; next }
      included = $0
      sub(/^[^<"]*[<"]/, "", included); sub(/[>"].*/, "", included)
      if (included ~ /(^|\/)\.\.\//) { print at[1] ":" at[2] ": includes " included " by a relative path"; next }
      if (sub(/^mortise\//, "", included)) {
        to = included
        if (sub(/\/.*/, "", to) == 0) to = "everything"
        if (to != from && !((from, to) in may) && !((from, "*") in may))
          print at[1] ":" at[2] ": " from " includes " to "; layers.txt has no such arrow"
        next
      }
      for (prefix in user) {
        if (index(included, prefix) != 1) continue
        ok = 0
        n = split(user[prefix], folders, " ")
        for (i = 1; i <= n; ++i) if (index(file, folders[i] "/") == 1) ok = 1
        if (!ok) print at[1] ":" at[2] ": " included " may only be included by" user[prefix]
      }
    }' "$here/layers.txt" -
}

self_test() {
  tree=$(mktemp -d) || exit 1
  trap 'rm -rf "$tree"' EXIT
  plant() {  # FILE LINE -> how many complaints
    rm -rf "${tree:?}/src" "$tree/app"
    mkdir -p "$tree/$(dirname "$1")"
    printf '#pragma once\n%s\n' "$2" >"$tree/$1"
    check "$tree" | wc -l
  }
  local bad=0
  expect() {
    local found; found=$(plant "$2" "$3")
    [ "$found" = "$1" ] || { echo "$2 with '$3': $found complaints, not $1"; bad=1; }
  }
  expect 1 src/mortise/lock/x.hpp '#include <mortise/task/go.hpp>'
  expect 1 src/mortise/task/x.cpp '#include "mortise/lock/mutex.hpp"'
  expect 1 src/mortise/task/x_test.cpp '#  include  <mortise/lock/mutex.hpp>'
  expect 1 src/mortise/base/x.hpp '#include <mortise/mortise.hpp>'
  expect 1 src/mortise/wait/x.hpp '#include "../lock/mutex.hpp"'
  expect 1 src/mortise/lock/x.hpp '#include <boost/context/fiber.hpp>'
  expect 1 src/mortise/cluster/x.hpp '#include <grpcpp/grpcpp.h>'
  expect 1 src/mortise/new_folder/x.hpp '#include <vector>'
  expect 0 src/mortise/cluster/etcd/x.hpp '#include <grpcpp/grpcpp.h>'
  expect 0 src/mortise/lock/x.hpp '#include <mortise/wait/waiter.hpp>'
  expect 0 src/mortise/mortise.hpp '#include <mortise/task/go.hpp>'
  expect 0 app/x.cpp '#include <mortise/task/go.hpp>'
  return $bad
}

if [ "$1" = --self-test ]; then self_test; exit; fi
complaints=$(check "$1")
[ -z "$complaints" ] && exit 0
printf '%s\n' "$complaints"
exit 1
