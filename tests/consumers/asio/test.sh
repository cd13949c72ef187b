#!/usr/bin/env bash
# mortise::asio comes with the component lock, and looks for no Asio itself.
# uses: static
. "$(dirname "$0")/../harness.sh"

cmake_consumer static -DCMAKE_DISABLE_FIND_PACKAGE_Boost=ON
"$work/build/consumer"
