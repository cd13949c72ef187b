#pragma once

#include <array>
#include <cstdint>

#include <app/cluster/guard.hpp>

namespace app::cluster {

// What `mortise` and the guard share. Written by one of them each, published by the line or by the guard's end.
struct guard::page {
  // by mortise
  mortise::atomic<mortise::nanos> deadline{
      0};                                  // relaxed: only ever put off, and looked at again when it comes
  mortise::atomic<std::uint32_t> gone{0};  // relaxed: the line tells
  std::array<char, 256> lock{};
  std::uint64_t token = 0;
  // by the guard
  // Release and acquire, both: who finds COMMAND there may send it signals, and its group was made before. The guard itself reads its own
  // stores, relaxed.
  mortise::atomic<pid_t> command{0};
  mortise::atomic<int> stopped_by{0};  // the signal that tells of it comes behind it
  int code = 0, signal = 0, start_error = 0;
  bool in_time = true, has_ended = false;
};

}  // namespace app::cluster
