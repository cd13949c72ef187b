#!/usr/bin/env bash
# emulate.sh QEMU ROOT PROGRAM [ARGS]: runs a program for another processor; with --script for ARGS it only makes the script.
#
# The kernel here cannot start such a program, so one that starts others, or itself again (a death test), would fail. Hence it
# is run through a script beside it, PROGRAM.emulated, which anybody may start, and whose name it takes for its own.
# MORTISE_EMULATED tells tests what not to expect.
set -eu
qemu=$1 root=$2 program=$3
shift 3
script=$program.emulated
text='#!/bin/sh
exec env MORTISE_EMULATED=1 '"$qemu -L $root"' -0 "$0" "${0%.emulated}" "$@"'
if [ ! -x "$script" ] || [ "$(cat "$script")" != "$text" ]; then
  printf '%s\n' "$text" >"$script.$$"
  chmod +x "$script.$$"
  mv "$script.$$" "$script"
fi
[ "${1-}" = --script ] || exec "$script" "$@"
