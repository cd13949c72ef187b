#!/usr/bin/env bash
# mortise::shm needs nothing but the system: no Boost, which is not even looked for; static, shared, and by pkg-config.
# uses: static shared
. "$(dirname "$0")/../harness.sh"
export MORTISE_RUNTIME_DIR=$work/runtime

for kind in static shared; do
  rm -rf "$work/build"
  cmake_consumer $kind -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON
  "$work/build/consumer"
done
readelf -d "$work/build/consumer" | grep -q 'NEEDED.*libmortise_shm\.so\.0\.1\]' || fail "the shared library has no SONAME"

"$CXX" -std=c++20 "$here/main.cpp" -o "$work/by_pkg_config" $(pkg static --cflags --libs mortise-shm)
"$work/by_pkg_config"
if readelf -d "$work/by_pkg_config" | grep -iE 'boost|libmortise'; then fail "it is linked to more than the system"; fi
