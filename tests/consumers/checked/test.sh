#!/usr/bin/env bash
# Who links a checked library is compiled as checked, through CMake and pkg-config, and misuse is named.
# uses: checked
. "$(dirname "$0")/../harness.sh"

cmake_consumer checked
"$CXX" -std=c++20 "$here/main.cpp" -o "$work/program" $(pkg checked --cflags --libs mortise-lock)
for program in "$work/build/consumer" "$work/program"; do
  if (ulimit -c 0; timeout 20 "$program") 2>"$work/said"; then fail "a second lock() by the holder was let through"; fi
  cat "$work/said"
  grep -q '^mortise: ' "$work/said" || fail "the misuse was not named"
done
