# shellcheck shell=bash
# Sourced by each consumer's test.sh.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
name=$(basename "$here")
work=$MORTISE_WORK/$name
rm -rf "$work"
mkdir -p "$work"

fail() { echo "$name: $*"; exit 1; }

# cmake_consumer KIND OPTION...: configures and builds the folder's project on what was installed as KIND.
cmake_consumer() {
  local kind=$1
  shift
  "$CMAKE" -S "$here" -B "$work/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH="$MORTISE_WORK/installed/$kind" "$@"
  "$CMAKE" --build "$work/build"
}

# pkg KIND ARGS...: pkg-config on what was installed as KIND, and on nothing else but the system's.
pkg() {
  local dir; dir=$(dirname "$(find "$MORTISE_WORK/installed/$1" -name mortise-lock.pc)")
  shift
  PKG_CONFIG_PATH=$dir pkg-config "$@"
}
