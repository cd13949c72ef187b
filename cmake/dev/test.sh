# shellcheck shell=bash
# The stages of ./dev test and ./dev check. A stage that fails does not keep the others from running; all are summed up in one
# last line. Each stage's ctest output is in build/PRESET/test.log; its end, and what failed, is shown.

failed=()
seconds_of=()

# stage NAME COMMAND...: runs it in a shell of its own, with its time.
stage() {
  local name=$1 start=$SECONDS
  shift
  say "--- $name"
  if ! ("$@"); then failed+=("$name"); fi
  seconds_of+=("$name $((SECONDS - start)) s")
  say "--- $name: $((SECONDS - start)) s"
}

summary() {
  local times; times=$(IFS=,; echo "${seconds_of[*]}")
  if [ ${#failed[@]} -gt 0 ]; then
    local names; names=$(IFS=,; echo "${failed[*]}")
    say "FAILED: ${names//,/, } (${times//,/, }; $SECONDS s in all)"
    exit 1
  fi
  say "all passed (${times//,/, }; $SECONDS s in all)"
}

# ctest_in PRESET ARGS...: ctest's closing lines, and all of what failed.
ctest_in() {
  local preset=$1 log=build/$1/test.log
  shift
  if ctest --test-dir build/$preset --parallel "$(nproc)" --output-on-failure "$@" >$log 2>&1 </dev/null; then
    sed -n '/% tests passed/,$p' $log
    echo
  else
    awk '/\*\*\*|^[0-9]+% tests passed/ { show = 1 } /^ *[0-9]+\/[0-9]+ Test .* Passed / { show = 0 } show' $log
    echo
    return 1
  fi
}

release_stage() {
  configure release -DMORTISE_BUILD_TESTS=ON -DMORTISE_BUILD_EXAMPLES=ON -DMORTISE_BUILD_BENCH=ON
  compile release
  ctest_in release "$@"
}

debug_stage() {
  configure debug
  compile debug
  ctest_in debug "$@"
}

tsan_stage() {
  configure tsan -DCMAKE_CXX_COMPILER="$(command -v clang++-"$(clang_version)")"
  compile tsan
  ctest_in tsan "$@"
}

# chaos_stage MODES SEED...: the quick and the stress tests, the brief soak among them, once with each seed; 0 draws one.
chaos_stage() {
  local modes=$1 seed
  shift
  configure chaos
  compile chaos
  for seed in "$@"; do
    [ "$seed" != 0 ] || seed=$((1 + RANDOM * 32768 + RANDOM))
    say "MORTISE_CHAOS=$modes MORTISE_CHAOS_SEED=$seed"
    MORTISE_CHAOS=$modes MORTISE_CHAOS_SEED=$seed MORTISE_CHAOS_QUIET=1 ctest_in chaos -L 'quick|stress' || return 1
  done
}

valgrind_stage() {
  configure valgrind
  compile valgrind valgrind_programs
  ctest_in valgrind -L valgrind
}

fuzz_build() {
  configure fuzz -DCMAKE_CXX_COMPILER="$(command -v clang++-"$(clang_version)")"
  compile fuzz fuzzers
}

fuzz_stage() {
  fuzz_build
  ctest_in fuzz -L fuzz
}

# fuzz_for SECONDS: each fuzzer goes on from what earlier runs came across, kept in build/fuzz/corpus.
fuzz_for() {
  local what log here=tests/fuzz found=build/fuzz/corpus all=(duration flags region)
  fuzz_build
  [ ! -x build/fuzz/tests/fuzz/replies_fuzzer ] || all+=(replies)  # where protobuf is
  for what in "${all[@]}"; do
    mkdir -p "$found/$what"
    log=build/fuzz/$what.log
    if ! build/fuzz/tests/fuzz/${what}_fuzzer -max_total_time="$1" -max_len=400 -dict=$here/$what.dict \
      -artifact_prefix=build/fuzz/ "$found/$what" $here/corpus/$what >"$log" 2>&1 </dev/null; then
      grep -a -E 'what\(\)|ERROR|runtime error|Test unit' "$log" >&2
      say "fuzz: $what broke a property; the log is $log"
      return 1
    fi
    say "fuzz: $what: $(tail -n 1 "$log")"
  done
}

# What a test skips under qemu-user it says, and so does this. Models are left out: what they explore is the same everywhere.
aarch64_stage() {
  if ! aarch64_possible; then
    say "skipped: the package sources of this system have nothing for aarch64"
    return
  fi
  aarch64_sysroot
  configure aarch64
  compile aarch64
  ctest_in aarch64 -L 'quick|stress|crash' "$@" || return
  awk '/: Skipped$/ { getline reason; print "skipped: " reason }' build/aarch64/Testing/Temporary/LastTest.log | sort -u
}

faults_built=build/release/tests/cluster/faults

# Never returns. Of words said twice the last counts.
cluster_faults() {
  need run test cluster faults
  configure release -DMORTISE_BUILD_TESTS=ON
  local found='^MORTISE_GRPC_INCLUDE:PATH=/' cache=build/release/CMakeCache.txt
  grep -q "$found" $cache || cmake build/release >build/release/configure.log  # it may have been installed just now
  grep -q "$found" $cache || die 3 "gRPC's and protobuf's headers are not installed: the cluster scope cannot be built here"
  compile release cluster_fault_client
  ! command -v go >/dev/null || compile release cluster_checker
  exec python3 tests/cluster/faults/run.py --client $faults_built/cluster_fault_client --checker $faults_built/cluster_checker \
    --out $faults_built/run "$@"
}

cpp_files() { find app bench examples src tests -name '*.[chi]pp' -print0 2>/dev/null; }

formatter() {
  local tool
  for tool in clang-format-$FORMAT_VERSION clang-format; do
    if "$tool" --version 2>/dev/null | grep -q "version $FORMAT_VERSION\."; then echo "$tool"; return; fi
  done
  return 1
}

format_stage() {
  local tool
  if ! tool=$(formatter); then
    say "skipped: clang-format $FORMAT_VERSION is not here, and other versions format otherwise"
  elif ! cpp_files | xargs -0 -n 20 -P "$(nproc)" "$tool" --dry-run -Werror >build/format.log 2>&1; then
    sed -n 's/^\([^ :]*\):[0-9]*:[0-9]*: \(error\|warning\):.*/\1/p' build/format.log | sort -u >&2
    say "these files are not formatted; ./dev format does it"
    return 1
  fi
}

test_quick() {
  stage "quick tests" release_stage -L quick
  summary
}

test_all() {
  mkdir -p build
  rm -f $faults_built/run/counts
  stage formatting format_stage
  stage "release with layers and packaging" release_stage -LE check
  [ ! -e $faults_built/run/counts ] || cat $faults_built/run/counts  # what was lost under faults, and must be
  stage "debug with ASan and UBSan" debug_stage -LE check
  stage "ThreadSanitizer" tsan_stage -LE check
  stage "fuzzers: short" fuzz_stage
  summary
}

# Every schedule with one preemption more than in ./dev test, and a hundred times as many random ones: 20 minutes on one core.
# MORTISE_MODEL_BOUND=+2 asks for two more, at 20 minutes and upwards for each mix of three.
models_stage() {
  local figures=$PWD/build/release/models.jsonl
  rm -f "$figures"
  export MORTISE_MODEL_FIGURES=$figures MORTISE_MODEL_BOUND=${MORTISE_MODEL_BOUND:-+1} MORTISE_MODEL_RANDOM=x100
  release_stage -L model --timeout 7200 || return
  say "$(python3 tests/explore/figures.py "$figures")"
}

check_all() {
  local again=(--repeat until-fail:20 --timeout 1800)
  mkdir -p build
  stage "release: longer tests" release_stage -L check --no-tests=ignore
  stage "models: further" models_stage
  stage "release: stress" release_stage -L 'stress|crash' --no-tests=ignore "${again[@]}"
  stage "debug: stress" debug_stage -L 'stress|crash' --no-tests=ignore "${again[@]}"
  stage "ThreadSanitizer: stress" tsan_stage -L 'stress|crash' --no-tests=ignore "${again[@]}"
  stage "chaos" chaos_stage all 1 2 0
  stage "forced migration" chaos_stage migrate 1 0
  stage "valgrind" valgrind_stage
  stage "fuzzers" fuzz_for 120
  stage "aarch64 under qemu-user" aarch64_stage
  stage "benchmarks: smoke" bench_stage
  summary
}
