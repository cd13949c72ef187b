#include <mortise/base/age_clock.hpp>

#include <cstdio>
#include <cstring>

#include <mortise/base/atomic.hpp>
#include <mortise/base/process_once.hpp>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace mortise::inline MORTISE_ABI {

#if defined(__x86_64__)
namespace {

// The rate is measured once, over the first ten milliseconds of use; until then the real clock serves, so the
// switch from one to the other is continuous to within the error of the rate.
struct calibration {
  nanos start_time = 0;
  std::uint64_t start_counter = 0;
  bool trusted = false;
};

constinit calibration begun;
constinit process_once begin_once;

const calibration& start() noexcept {
  begin_once([] {
    char source[16] = "";
    if (std::FILE* f = std::fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re")) {
      if (std::fgets(source, sizeof source, f) == nullptr) source[0] = '\0';
      std::fclose(f);
    }
    begun = {now_ns(), __rdtsc(), std::strncmp(source, "tsc", 3) == 0};
  });
  return begun;
}

constinit atomic<double> rate{0};  // nanoseconds a tick; any thread's measurement will do

}  // namespace

nanos age_clock_now() noexcept {
  const double known = rate.load(memory_order_acquire);  // `begun` as whoever measured saw it
  if (known != 0)
    return begun.start_time +
           static_cast<nanos>(static_cast<double>(__rdtsc() - begun.start_counter) * known);
  const calibration& c = start();
  const nanos now = now_ns();
  const std::uint64_t counter = __rdtsc();
  if (c.trusted && now - c.start_time > 10'000'000 && counter > c.start_counter) {
    rate.store(static_cast<double>(now - c.start_time) / static_cast<double>(counter - c.start_counter),
               memory_order_release);
  }
  return now;
}
bool counter_is_trusted() noexcept { return start().trusted; }
#else
nanos age_clock_now() noexcept { return now_ns(); }
bool counter_is_trusted() noexcept { return false; }
#endif

}  // namespace mortise::inline MORTISE_ABI
