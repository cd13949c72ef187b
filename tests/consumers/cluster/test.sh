#!/usr/bin/env bash
# The cluster scope: its policy needs nothing but the system, its store on etcd gRPC; static, shared, and by pkg-config.
# uses: static shared
. "$(dirname "$0")/../harness.sh"

for kind in static shared; do
  rm -rf "$work/build"
  cmake_consumer $kind -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON -DPOLICY_ONLY=ON
  "$work/build/consumer"
done
if ldd "$work/build/consumer" | grep -E 'grpc|protobuf|boost'; then fail "the policy is linked to more than the system"; fi
"$CXX" -std=c++20 "$here/policy.cpp" -o "$work/policy_by_pkg_config" $(pkg static --cflags --libs mortise-cluster)
"$work/policy_by_pkg_config"

if ! pkg static --exists mortise-cluster-etcd; then
  echo "built without gRPC: the store is left out"
  exit 0
fi
for kind in static shared; do
  rm -rf "$work/build"
  cmake_consumer $kind -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON
  "$work/build/consumer"
done
if readelf -d "$work/build/consumer" | grep -E 'NEEDED.*grpc'; then fail "a program that links the shared store is linked to gRPC"; fi
"$CXX" -std=c++20 "$here/main.cpp" -o "$work/by_pkg_config" $(pkg static --cflags --libs mortise-cluster-etcd)
"$work/by_pkg_config"
