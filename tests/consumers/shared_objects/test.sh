#!/usr/bin/env bash
# A lock shared by two shared objects; nothing but mortise's own names leaves libmortise_*.so.
# uses: shared
. "$(dirname "$0")/../harness.sh"

cmake_consumer shared
"$work/build/consumer"

for library in lock task; do
  file=$(find "$MORTISE_WORK/installed/shared" -name "libmortise_$library.so")
  readelf -d "$file" | grep -q "SONAME.*\[libmortise_$library\.so\.0\.1\]" || fail "$file: no SONAME with the version"
  # Defined dynamic symbols, weak ones apart: those are the standard library's templates.
  if odd=$(nm -DC --defined-only "$file" | awk '$2 !~ /[VWvwu]/' | grep -vE ' (mortise::|guard variable for mortise::|(vtable|typeinfo|typeinfo name|TLS [a-z]+ function|construction vtable|thread-local [a-z ]+) for mortise::|_(init|fini|edata|end|_bss_start)$)' | grep .); then
    fail "$file exports more than mortise: $odd"
  fi
done
