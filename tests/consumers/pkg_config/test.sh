#!/usr/bin/env bash
# pkg-config: one line links a program, static and shared, and after the installation has been moved.
# uses: static shared
. "$(dirname "$0")/../harness.sh"

version=$(pkg static --modversion mortise)
[ "$version" = "$(pkg static --modversion mortise-lock)" ] || fail "two versions"

"$CXX" -std=c++20 "$here/../everything.cpp" -o "$work/all_static" $(pkg static --cflags --libs mortise)
"$work/all_static"
"$CXX" -std=c++20 "$here/../lock_only/main.cpp" -o "$work/lock_static" $(pkg static --cflags --libs mortise-lock)
"$work/lock_static"
if readelf -d "$work/lock_static" | grep -i boost; then fail "mortise-lock is linked to Boost"; fi

cp -r "$MORTISE_WORK/installed/shared" "$work/moved"
libdir=$(dirname "$(find "$work/moved" -name libmortise_lock.so)")
export PKG_CONFIG_PATH=$libdir/pkgconfig
case $(pkg-config --cflags --libs mortise) in
  *boost*) fail "a program that links the shared library is asked for Boost" ;;
  *"$work/moved"*) ;;
  *) fail "the moved installation points elsewhere: $(pkg-config --cflags --libs mortise)" ;;
esac
"$CXX" -std=c++20 "$here/../everything.cpp" -o "$work/all_shared" $(pkg-config --cflags --libs mortise)
LD_LIBRARY_PATH=$libdir "$work/all_shared"
