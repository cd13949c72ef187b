#!/usr/bin/env bash
# installed.sh static|shared|checked: installs mortise below $MORTISE_WORK/installed/KIND, from builds as a distribution would make them.
# static is this very build; checked is the lock alone, without Boost. Nothing but headers may come below include/.
set -eu
kind=$1
prefix=$MORTISE_WORK/installed/$kind
build=$MORTISE_WORK/installed/$kind-build
rm -rf "$prefix"

case $kind in
  static) build=$MORTISE_BUILD ;;
  shared) options=(-DBUILD_SHARED_LIBS=ON) ;;
  checked) options=(-DMORTISE_CHECKED=ON -DMORTISE_BUILD_TASK=OFF -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON) ;;
esac
if [ "$kind" != static ]; then
  "$CMAKE" -S "$MORTISE_TREE" -B "$build" -DCMAKE_BUILD_TYPE=Release -DMORTISE_BUILD_APP=OFF -DMORTISE_BUILD_TESTS=OFF \
    -DMORTISE_BUILD_BENCH=OFF -DMORTISE_BUILD_EXAMPLES=OFF "${options[@]}"
  "$CMAKE" --build "$build" --parallel 2
fi
"$CMAKE" --install "$build" --prefix "$prefix"

if odd=$(find "$prefix/include" -mindepth 1 -maxdepth 1 -not -name mortise | grep .); then
  echo "the include root exposes more than mortise/: $odd"
  exit 1
fi
if odd=$(find "$prefix/include" -type f -not -name '*.[hi]pp' | grep .); then
  echo "more than headers is installed below include/: $odd"
  exit 1
fi
[ -f "$prefix/include/mortise/lock/mutex.hpp" ]
if [ -x "$build/mortise" ]; then "$prefix/bin/mortise" --version; fi
if [ -x "$build/mortise-cluster" ]; then  # where there is gRPC: found from the installed place, and it says what it misses
  { "$prefix/bin/mortise" run --scope cluster --endpoints https://127.0.0.1:1 --tls-ca /none/ca.pem --for 0 2>&1 || true; } |
    grep -q '/none/ca.pem'
fi
if [ -x "$build/mortise" ] && [ -f "$build/share/mortise/report.html" ]; then  # where there is node
  "$prefix/bin/mortise" run --for 10ms --report "$prefix/run.html"
  grep -q '"schema":"mortise.run/1"' "$prefix/run.html"
fi
