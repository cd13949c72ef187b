#pragma once

// What the profile has recorded: sums by place.

#include <cstdint>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/insight/call_stack.hpp>

namespace mortise::inline MORTISE_ABI::insight {

struct sums {
  double contentions = 0, delay_ns = 0, waits = 0, wait_ns = 0;

  sums& operator+=(const sums& other) noexcept {
    contentions += other.contentions;
    delay_ns += other.delay_ns;
    waits += other.waits;
    wait_ns += other.wait_ns;
    return *this;
  }
};

struct recorded_place {
  const char* kind;  // a literal: "mutex"
  call_stack at;
  sums sum;
};

struct recording {
  std::int64_t began_ns = 0;  // of the system's clock
  nanos lasted = 0;
  nanos every = 0;
  double not_kept = 0;  // contentions and waits for whose places there was no room
  std::vector<recorded_place> places;
};

void begin_recording(nanos every);  // forgets what there was; if it is under way, sets `every` only
bool end_recording() noexcept;      // false: none was under way
bool recording_is_under_way() noexcept;
void record(const char* kind, const call_stack& at,
            const sums& more) noexcept;  // nothing, if none is under way
recording recorded();

}  // namespace mortise::inline MORTISE_ABI::insight
