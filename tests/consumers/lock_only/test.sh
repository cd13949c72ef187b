#!/usr/bin/env bash
# mortise::lock needs nothing but the system: neither exceptions nor RTTI, nor Boost, which is not even looked for.
# uses: static
. "$(dirname "$0")/../harness.sh"

cmake_consumer static -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON
"$work/build/consumer"
if readelf -d "$work/build/consumer" | grep -i boost; then fail "it is linked to Boost"; fi
