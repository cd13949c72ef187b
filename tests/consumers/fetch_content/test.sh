#!/usr/bin/env bash
# FetchContent: the library only, without a look for what the command and the tests need.
# uses: static
. "$(dirname "$0")/../harness.sh"

no=()
for package in fmt CLI11 nlohmann_json GTest benchmark Python3; do no+=("-DCMAKE_DISABLE_FIND_PACKAGE_$package=ON"); done
cmake_consumer static -DMORTISE_TREE="$MORTISE_TREE" "${no[@]}"
"$work/build/consumer"
"$work/build/lock_consumer"
"$CMAKE" --install "$work/build" --prefix "$work/prefix"
if find "$work/prefix" -type f 2>/dev/null | grep .; then fail "a guest installs nothing"; fi
