# shellcheck shell=bash
# The benchmarks: built with whatever peers this machine can build, run by the command itself.

bench_build() {
  configure release -DMORTISE_BUILD_BENCH=ON
  compile release benchmarks
  compile_page
}

cmd_bench() {
  local words=() write=
  for word in "$@"; do
    if [ "$word" = --write ]; then write=1; else words+=("$word"); fi
  done
  need run bench page
  bench_build
  [ -n "$write" ] || exec build/release/mortise bench ${words[@]+"${words[@]}"}
  bench_write ${words[@]+"${words[@]}"}
}

# What docs/benchmarks.md and the page say is what was measured in one run; neither is touched if it was interrupted.
bench_write() {
  local lines=build/bench.jsonl code=0
  build/release/mortise bench "$@" --json >$lines.part || code=$?
  [ $code -le 1 ] || exit $code
  mv $lines.part $lines
  benchmarks_page "$@" >build/benchmarks.md || exit 1
  mv build/benchmarks.md docs/benchmarks.md
  say "written: docs/benchmarks.md, $lines"
  if build/release/mortise bench --help | grep -q -- --report; then
    build/release/mortise bench --from $lines --report build/bench.html && say "written: build/bench.html"
  fi
  exit $code
}

benchmarks_page() {
  cat <<TEXT
# Benchmarks

Written by \`./dev bench${*:+ $*} --write\` at revision $(git describe --always --dirty 2>/dev/null || echo unknown). How to read it, and
where it favours somebody: [bench/README.md](../bench/README.md). Losses are in it like wins.

TEXT
  build/release/mortise bench --from build/bench.jsonl --markdown
}

bench_stage() {
  bench_build
  build/release/mortise bench --quick
}
