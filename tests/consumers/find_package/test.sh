#!/usr/bin/env bash
# find_package(mortise): all of it is there, static and shared, and a version that is not is refused.
# uses: static shared
. "$(dirname "$0")/../harness.sh"

cmake_consumer static
"$work/build/consumer"
rm -rf "$work/build"
cmake_consumer shared
"$work/build/consumer"
readelf -d "$work/build/consumer" | grep -q 'NEEDED.*libmortise_task\.so\.0\.1\]' || fail "the shared library has no SONAME"

mkdir "$work/later"
cat >"$work/later/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(later LANGUAGES CXX)
find_package(mortise 0.2 REQUIRED)
CMAKE
if "$CMAKE" -S "$work/later" -B "$work/later/build" -DCMAKE_PREFIX_PATH="$MORTISE_WORK/installed/static" >"$work/later.log" 2>&1; then
  fail "0.2 was asked for, and 0.1 was taken"
fi
