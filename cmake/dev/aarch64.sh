# shellcheck shell=bash
# What a build for aarch64 needs beside the cross compiler: the libraries' packages for that processor, unpacked into a folder.
# They are fetched by an apt with a state of its own, so that nothing on this machine changes: no foreign architecture is
# added, no package installed.

readonly SYSROOT=build/sysroot-aarch64
readonly SYSROOT_PACKAGES=(libboost-context-dev libfmt-dev libcli11-dev nlohmann-json3-dev libgtest-dev libgmock-dev)

# Ubuntu keeps this processor's packages on other servers than those that its sources name.
aarch64_possible() { is_debian && grep -q '^ID=debian$' /etc/os-release; }

aarch64_sysroot() {
  local here=$PWD/$SYSROOT log=build/sysroot-aarch64.log apt
  [ "$(cat $SYSROOT/complete 2>/dev/null)" != "${SYSROOT_PACKAGES[*]}" ] || return 0
  if [ -n "${MORTISE_NO_INSTALL-}" ] && [ "$MORTISE_NO_INSTALL" != 0 ]; then
    die 3 "$SYSROOT is not there and may not be fetched: ${SYSROOT_PACKAGES[*]} for arm64, unpacked"
  fi
  say "fetching the libraries for aarch64 into $SYSROOT"
  rm -rf $SYSROOT
  mkdir -p $SYSROOT/apt/{state/lists/partial,cache/archives/partial}
  : >$SYSROOT/apt/status
  apt=(apt-get -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::State="$here/apt/state"
    -o Dir::State::status="$here/apt/status" -o Dir::Cache="$here/apt/cache" -o Dir::Log="$here/apt" -o Acquire::Languages=none)
  {
    "${apt[@]}" update &&
      # of all that they need, what the cross compiler's own packages do not have
      "${apt[@]}" install -s --no-install-recommends "${SYSROOT_PACKAGES[@]}" |
      sed -nE 's/^Inst ((lib(boost-context|boost1|fmt|cli11|gtest|gmock)|nlohmann)[^ ]*) .*/\1/p' >$SYSROOT/apt/names &&
      [ -s $SYSROOT/apt/names ] &&
      (cd $SYSROOT/apt && xargs "${apt[@]}" download <names) &&
      find $SYSROOT/apt -name '*.deb' -print0 | xargs -0 -I{} dpkg -x {} $SYSROOT
  } >$log 2>&1 </dev/null || { tail -n 20 $log >&2; die 3 "the libraries for aarch64 could not be fetched; the log is $log"; }
  rm -rf $SYSROOT/apt
  echo "${SYSROOT_PACKAGES[*]}" >$SYSROOT/complete
}
