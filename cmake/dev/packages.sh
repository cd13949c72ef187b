# shellcheck shell=bash
# Which packages a command of ./dev needs, and how they come onto the machine.
# need GROUP...: returns if all is there, installs what is missing if it may, ends with 3 otherwise.

readonly FORMAT_VERSION=19  # formatting differs between versions

declare -A WHY=(
  [run]="to build and run mortise" [test]="for the tests" [packaging]="for the packaging's tests"
  [clang]="for ThreadSanitizer" [format]="for formatting" [valgrind]="for valgrind's tests" [bench]="for the benchmarks"
  [page]="for the page of --report" [browser]="to look at that page" [faults]="for the cluster's faults"
  [cluster]="for the cluster scope on etcd" [spin]="for the models" [cross]="for aarch64" [mutants]="to plant bugs and build them quickly")

packages_of() {  # group -> names
  case $1 in
    run)
      echo g++ cmake libboost-context-dev libfmt-dev libcli11-dev nlohmann-json3-dev
      best_effort libprotozero-dev zlib1g-dev  # without them there are no profiles
      command -v ninja >/dev/null || command -v make >/dev/null || echo ninja-build
      ;;
    test) echo libgtest-dev libgmock-dev libasio-dev libboost-fiber-dev; best_effort libsqlite3-dev gdb systemtap-sdt-dev ;;
    cluster)
      echo libgrpc++-dev libprotobuf-dev protobuf-compiler openssl
      best_effort etcd-server etcd-client  # without them the tests on a real etcd skip
      ;;
    faults) best_effort iproute2 python3 golang-go ;;  # without Go the histories are not checked for linearizability
    packaging) echo ccache pkg-config ;;  # the compiler's cache: they build the library again
    clang)
      local n; n=$(clang_version)
      echo "clang-$n" "libclang-rt-$n-dev"
      ;;
    format)  # best effort: where there is no such version, formatting is not checked
      if has clang-format-$FORMAT_VERSION || apt_knows clang-format-$FORMAT_VERSION; then
        echo clang-format-$FORMAT_VERSION
      fi
      ;;
    mutants) echo python3 git ccache ;;
    spin)  # best effort: where there is none the models are not checked
      if has spin || apt_knows spin; then echo spin gcc; fi
      ;;
    valgrind) echo valgrind ;;
    bench)
      echo libboost-fiber-dev libabsl-dev libnsync-dev libtbb-dev
      best_effort golang-go  # whatever Go there is; without it the peers in Go are left out, without cargo those in Rust
      ;;
    cross) echo g++-aarch64-linux-gnu qemu-user ;;
    page) best_effort nodejs npm ;;  # without them there is no page
    browser) best_effort chromium ;;  # without it nobody looks
  esac
}

# Those that are here or can be.
best_effort() {
  local package
  for package in "$@"; do
    if has "$package" || apt_knows "$package"; then echo "$package"; fi
  done
}

is_debian() { command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; }
apt_knows() { [ -n "$(apt-cache show "$1" 2>/dev/null | head -1)" ]; }

# The newest clang from 16 to 19 that is installed with its runtime, else the newest that can be.
clang_version() {
  local n
  for n in 19 18 17 16; do
    if command -v clang++-$n >/dev/null && { ! is_debian || has libclang-rt-$n-dev; }; then echo $n; return; fi
  done
  for n in 19 18 17 16; do
    if is_debian && apt_knows libclang-rt-$n-dev; then echo $n; return; fi
  done
  echo 19
}

# Tools count however they were installed; libraries by package, elsewhere by their headers.
has() {
  local header
  case $1 in
    g++ | gcc | gdb | git | spin | cmake | ccache | python3 | valgrind | clang-[0-9]* | clang-format-*)
      command -v "$1" >/dev/null
      return
      ;;
    nodejs) command -v node >/dev/null; return ;;
    golang-go) command -v go >/dev/null; return ;;
    npm | chromium) command -v "$1" >/dev/null; return ;;
    protobuf-compiler) command -v protoc >/dev/null; return ;;
    etcd-server) command -v etcd >/dev/null; return ;;
    etcd-client) command -v etcdctl >/dev/null; return ;;
    openssl) command -v openssl >/dev/null; return ;;
    iproute2) command -v ip >/dev/null; return ;;
    ninja-build) command -v ninja >/dev/null; return ;;
    pkg-config) command -v pkg-config >/dev/null; return ;;
  esac
  if is_debian; then
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
    return
  fi
  case $1 in
    libboost-context-dev) header=boost/context/detail/fcontext.hpp ;;
    libboost-fiber-dev) header=boost/fiber/mutex.hpp ;;
    libasio-dev) header=asio/execution.hpp ;;
    libfmt-dev) header=fmt/core.h ;;
    libcli11-dev) header=CLI/CLI.hpp ;;
    nlohmann-json3-dev) header=nlohmann/json.hpp ;;
    libgtest-dev) header=gtest/gtest.h ;;
    libgmock-dev) header=gmock/gmock.h ;;
    libabsl-dev) header=absl/synchronization/mutex.h ;;
    libnsync-dev) header=nsync.h ;;
    libgrpc++-dev) header=grpcpp/generic/generic_stub.h ;;
    libprotobuf-dev) header=google/protobuf/message_lite.h ;;
    libtbb-dev) header=oneapi/tbb/mutex.h ;;
    libsqlite3-dev) header=sqlite3.h ;;
    libprotozero-dev) header=protozero/pbf_writer.hpp ;;
    zlib1g-dev) header=zlib.h ;;
    systemtap-sdt-dev) header=sys/sdt.h ;;
    *) return 0 ;;  # a part of another package there
  esac
  [ -e "/usr/include/$header" ] || [ -e "/usr/local/include/$header" ]
}

missing_of() {
  local package
  for package in $(packages_of "$1"); do has "$package" || echo "$package"; done
}

need() {
  local group missing=() why=()
  for group in "$@"; do
    local more; more=$(missing_of "$group")
    [ -n "$more" ] || continue
    missing+=($more)
    why+=("${WHY[$group]}")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  local reason; reason=$(IFS=,; echo "${why[*]}"); reason=${reason//,/ and }
  if ! is_debian; then
    die 3 "packages are missing $reason; install what your system calls: ${missing[*]}"
  fi
  local install="apt-get install -y --no-install-recommends"
  if [ -n "${MORTISE_NO_INSTALL-}" ] && [ "$MORTISE_NO_INSTALL" != 0 ]; then
    die 3 "packages are missing $reason; to install them: apt-get update && $install ${missing[*]}"
  elif [ "$(id -u)" = 0 ]; then
    install_packages "$@"
  elif command -v sudo >/dev/null && [ -t 0 ] && [ -t 2 ]; then
    say "packages are missing $reason: ${missing[*]}"
    say "this would install them: sudo sh -c 'apt-get update && $install ${missing[*]}'"
    read -r -p 'dev: run it? [y/N] ' answer
    case $answer in
      y | Y | yes) install_packages "$@" ;;
      *) exit 3 ;;
    esac
  else
    die 3 "packages are missing $reason; as root: apt-get update && $install ${missing[*]}"
  fi
}

# As root, or with the consent just given through sudo.
install_packages() {
  local sudo= log=build/install.log group missing
  [ "$(id -u)" = 0 ] || sudo=sudo
  mkdir -p build
  say "fetching the package lists"
  $sudo apt-get update >$log 2>&1 </dev/null || failed_install
  for group in "$@"; do
    missing=$(missing_of "$group")  # anew: the lists may say more now
    [ -n "$missing" ] || continue
    say "installing ${WHY[$group]}:" $missing
    without_services "$sudo" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 install -y \
      --no-install-recommends $missing >>$log 2>&1 </dev/null || failed_install
    case " $missing " in *etcd-server*)  # Debian starts what it installs; we start our own when we need one
      if command -v systemctl >/dev/null; then $sudo systemctl disable --now etcd >>$log 2>&1 </dev/null || true; fi ;;
    esac
  done
}

# Debian starts what it installs, etcd say; here it is wanted for its program alone.
without_services() {  # SUDO-OR-EMPTY COMMAND...
  local sudo=$1 policy=/usr/sbin/policy-rc.d made= code
  shift
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null && $sudo chmod 755 $policy && made=1
  fi
  $sudo "$@"
  code=$?
  [ -z "$made" ] || $sudo rm -f $policy
  return $code
}

failed_install() {
  tail -n 20 build/install.log >&2
  die 3 "the installation failed; the log is build/install.log"
}
