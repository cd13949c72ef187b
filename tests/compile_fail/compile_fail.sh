#!/usr/bin/env bash
# compile_fail.sh COMPILER INCLUDE_ROOT FILE: see compile_fail.cmake.
set -u
compiler=$1 root=$2 file=$3
wrong=$(sed -n 's,^// wrong: *,,p' "$file")
read -r -a flags <<<"$(sed -n 's,^// flags: *,,p' "$file")"
compile() { "$compiler" -std=c++20 -fsyntax-only -I"$root" ${flags[@]+"${flags[@]}"} "$@" "$file" 2>&1; }

[ -n "$wrong" ] || { echo "$file names no '// wrong: <what the compiler says>'"; exit 1; }
if ! said=$(compile); then
  printf '%s\n' "$said" "$file does not compile as it stands, so it proves nothing"
  exit 1
fi
if said=$(compile -DMORTISE_WRONG); then
  echo "$file compiles with -DMORTISE_WRONG, and must not"
  exit 1
fi
if ! grep -Eq -- "$wrong" <<<"$said"; then
  printf '%s\n' "$said" "$file fails for another reason than '$wrong'"
  exit 1
fi
