#!/usr/bin/env bash
# A checked object and an unchecked library do not link, nor the other way round; like with like does.
# uses: static checked
. "$(dirname "$0")/../harness.sh"

link() {  # KIND DEFINITION
  "$CXX" -std=c++20 "$here/main.cpp" -o "$work/program" -I"$MORTISE_WORK/installed/$1/include" "$2" \
    $(pkg "$1" --libs mortise-lock) 2>"$work/said"
}

link static -DMORTISE_CHECKED=0 || { cat "$work/said"; fail "unchecked with unchecked does not link"; }
link checked -DMORTISE_CHECKED=1 || { cat "$work/said"; fail "checked with checked does not link"; }
if link static -DMORTISE_CHECKED=1; then fail "a checked object was linked with the unchecked library"; fi
grep -q 'undefined reference to `mortise::v0_checked::' "$work/said" || { cat "$work/said"; fail "not for the tag"; }
if link checked -DMORTISE_CHECKED=0; then fail "an unchecked object was linked with the checked library"; fi
grep -q 'undefined reference to `mortise::v0::' "$work/said" || { cat "$work/said"; fail "not for the tag"; }
