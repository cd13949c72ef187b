#include <mortise/base/age_clock.hpp>

#include <cstdio>
#include <cstring>

#include <mortise/base/atomic.hpp>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace mortise::inline MORTISE_ABI {

#if defined(__x86_64__)
namespace {

// The rate is measured once, over the first ten milliseconds of use; until then the real clock serves, so the
// switch from one to the other is continuous to within the error of the rate.
struct calibration {
  nanos start_time;
  std::uint64_t start_counter;
  bool trusted;
};

const calibration& start() noexcept {
  static const calibration c = [] {
    char source[16] = "";
    if (std::FILE* f = std::fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re")) {
      if (std::fgets(source, sizeof source, f) == nullptr) source[0] = '\0';
      std::fclose(f);
    }
    return calibration{now_ns(), __rdtsc(), std::strncmp(source, "tsc", 3) == 0};
  }();
  return c;
}

constinit atomic<double> rate{0};  // nanoseconds a tick; relaxed: any thread's measurement will do

}  // namespace

nanos age_clock_now() noexcept {
  const double known = rate.load(memory_order_relaxed);
  const calibration& c = start();
  if (known != 0)
    return c.start_time + static_cast<nanos>(static_cast<double>(__rdtsc() - c.start_counter) * known);
  const nanos now = now_ns();
  const std::uint64_t counter = __rdtsc();
  if (c.trusted && now - c.start_time > 10'000'000 && counter > c.start_counter) {
    rate.store(static_cast<double>(now - c.start_time) / static_cast<double>(counter - c.start_counter),
               memory_order_relaxed);
  }
  return now;
}
bool counter_is_trusted() noexcept { return start().trusted; }
#else
nanos age_clock_now() noexcept { return now_ns(); }
bool counter_is_trusted() noexcept { return false; }
#endif

}  // namespace mortise::inline MORTISE_ABI
