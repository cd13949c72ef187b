# shellcheck shell=bash
# Configuring and compiling, quietly: a line for a step that has something to do, the log if it fails.

# For who only wants to run the command.
readonly RUN_ONLY=(-DMORTISE_BUILD_TESTS=OFF -DMORTISE_BUILD_BENCH=OFF -DMORTISE_BUILD_EXAMPLES=OFF)

# configure PRESET [-DNAME=VALUE...]: only if it was not, or if a value is not as asked. RUN_ONLY is for a first time.
configure() {
  local preset=$1 cache=build/$1/CMakeCache.txt log=build/$1/configure.log setting generator=()
  shift
  if [ -e build/$preset/build.ninja ] || [ -e build/$preset/Makefile ]; then
    local changed=
    [ "$*" = "${RUN_ONLY[*]}" ] && return
    for setting in "$@"; do
      setting=${setting#-D}
      grep -q "^${setting%%=*}:[A-Z]*=${setting#*=}$" $cache || changed=1
    done
    [ -n "$changed" ] || return
    generator=(-G "$(sed -n 's/^CMAKE_GENERATOR:INTERNAL=//p' $cache)")
  elif ! command -v ninja >/dev/null; then
    generator=(-G "Unix Makefiles")
  fi
  say "configuring build/$preset"
  mkdir -p build/$preset
  cmake --preset $preset ${generator[@]+"${generator[@]}"} "$@" >$log 2>&1 </dev/null && return
  cat $log >&2
  die 1 "configuring build/$preset failed; the log is build/$preset/configure.log"
}

# The page that --report fills, if node and npm are here; the command says what is missing.
compile_page() {
  command -v node >/dev/null && command -v npm >/dev/null || return 0
  if ! grep -q '^MORTISE_NPM:FILEPATH=/' build/release/CMakeCache.txt; then cmake build/release >build/release/configure.log; fi
  compile release mortise_page
}

# What of the command needs gRPC, if that is here; the command says what is missing.
compile_cluster() {
  local found='^MORTISE_GRPC_INCLUDE:PATH=/' cache=build/release/CMakeCache.txt
  grep -q "$found" $cache || cmake build/release >build/release/configure.log
  grep -q "$found" $cache || return 0
  compile release mortise_cluster_command
}

# compile PRESET [TARGET]: says so only if there is something to compile.
compile() {
  local preset=$1 target=${2-all} log=build/$1/compile.log line said=
  local build=(cmake --build build/$preset --target $target --parallel "$(nproc)")
  if ! "${build[@]}" 2>&1 </dev/null | while IFS= read -r line; do
      printf '%s\n' "$line"
      case $line in
        *Building* | *Linking*) [ -n "$said" ] || say "compiling build/$preset"; said=1 ;;
      esac
    done >$log; then
    grep -v '^\[ *[0-9%/]*\]' $log >&2
    die 1 "compiling build/$preset failed; the log is build/$preset/compile.log"
  fi
}
