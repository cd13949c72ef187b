#include <mortise/base/chaos.hpp>

#if MORTISE_IS_CHAOS

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include <mortise/base/clock.hpp>
#include <mortise/base/fatal.hpp>

namespace mortise::inline MORTISE_ABI {
namespace {

constexpr const char* names[] = {"migrate", "preempt", "delay", "spurious", "steal", "abort"};

// This is below the seam: std::atomic and not ours, whose operations are points of chaos themselves.
constinit std::atomic<std::uint64_t> seed{0};  // 0: not yet known
constinit std::atomic<unsigned> modes{0};
constinit std::atomic<std::uint64_t> threads{0};

struct dice {
  std::uint64_t state;
  unsigned points;   // until the temper changes
  unsigned divisor;  // one point in so many is one where something happens
};
__thread dice of_thread{};

std::uint64_t mixed(std::uint64_t z) noexcept {  // splitmix64
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

unsigned modes_of(const char* text) noexcept {
  if (text == nullptr || std::strcmp(text, "all") == 0) return (1u << std::size(names)) - 1;
  unsigned found = 0;
  while (*text != '\0') {
    const std::size_t length = std::strcspn(text, ",");
    unsigned i = 0;
    while (i < std::size(names) &&
           (std::strlen(names[i]) != length || std::strncmp(names[i], text, length) != 0))
      ++i;
    if (i < std::size(names)) {
      found |= 1u << i;
    } else if (length != 4 || std::strncmp(text, "none", 4) != 0) {
      fatal(
          "MORTISE_CHAOS: '%.*s' is none of all, none, migrate, preempt, delay, spurious, steal, abort, with commas between",
          static_cast<int>(length), text);
    }
    text += length + (text[length] == ',' ? 1 : 0);
  }
  return found;
}

// Once for the process, by whichever thread comes first. Without stdio and heap: the first may be anywhere.
[[gnu::noinline, gnu::cold]] void begin() noexcept {
  const unsigned chosen = modes_of(std::getenv("MORTISE_CHAOS"));
  std::uint64_t s = 0;
  if (const char* const given = std::getenv("MORTISE_CHAOS_SEED"); given != nullptr) {
    char* end = nullptr;
    s = std::strtoull(given, &end, 10);
    if (s == 0 || *end != '\0') fatal("MORTISE_CHAOS_SEED: '%s' is not a number from 1 on", given);
  } else {
    s = mixed(static_cast<std::uint64_t>(now_ns()) ^ static_cast<std::uint64_t>(::getpid()) << 32) %
            1'000'000'000 +
        1;
  }
  modes.store(chosen, std::memory_order_relaxed);
  std::uint64_t expected = 0;
  // release: who sees the seed sees the modes
  if (!seed.compare_exchange_strong(expected, s, std::memory_order_release, std::memory_order_relaxed))
    return;
  // Who runs programs whose output is looked at says the seed in their place.
  if (chosen == 0 ||
      (std::getenv("MORTISE_CHAOS_QUIET") != nullptr && std::getenv("MORTISE_CHAOS_SEED") != nullptr))
    return;
  char line[200];
  int n = std::snprintf(line, sizeof line, "mortise: chaos");
  for (unsigned i = 0; i < std::size(names); ++i) {
    if ((chosen >> i & 1) != 0) n += std::snprintf(line + n, sizeof line - n, " %s", names[i]);
  }
  n += std::snprintf(line + n, sizeof line - n, ", MORTISE_CHAOS_SEED=%llu\n",
                     static_cast<unsigned long long>(s));
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, line, static_cast<std::size_t>(n));
}

unsigned modes_on() noexcept {
  if (seed.load(std::memory_order_acquire) == 0) begin();
  return modes.load(std::memory_order_relaxed);
}

std::uint64_t roll() noexcept {
  if (of_thread.state == 0) {
    of_thread.state =
        mixed(seed.load(std::memory_order_relaxed) + 0x9E3779B97F4A7C15 * (1 + threads.fetch_add(1))) | 1;
  }
  return mixed(of_thread.state += 0x9E3779B97F4A7C15);
}

// Threads have tempers, which change: were all equally disturbed, none would ever be far behind the others.
bool happens() noexcept {
  constexpr std::array<unsigned, 8> one_in = {0, 0, 1024, 512, 256, 128, 64, 16};  // 0: never
  if (of_thread.points == 0) {
    const std::uint64_t r = roll();
    of_thread.points = 64 + static_cast<unsigned>(r % 1024);
    of_thread.divisor = one_in[r >> 32 & 7];
  }
  --of_thread.points;
  return of_thread.divisor != 0 && roll() % of_thread.divisor == 0;
}

void pause_for(nanos d) noexcept {
  const timespec t{0, static_cast<long>(d)};
  ::clock_nanosleep(CLOCK_MONOTONIC, 0, &t, nullptr);
}

// Mostly a moment; now and then longer than the lock's patience (1 ms) and the bound of an offer (4 ms).
void pause() noexcept {
  const std::uint64_t r = roll();
  switch (r & 255) {
    case 0: return pause_for(static_cast<nanos>(r >> 32) % 6'000'000);
    case 1:
    case 2:
    case 3: return pause_for(static_cast<nanos>(r >> 32) % 200'000);
    default: break;
  }
  if ((r & 3) != 0) {
    ::sched_yield();
  } else {
    for (const nanos until = now_ns() + static_cast<nanos>(r >> 32) % 5'000; now_ns() < until;) {}
  }
}

}  // namespace

bool chaos_has(chaos what) noexcept { return (modes_on() >> static_cast<unsigned>(what) & 1) != 0; }

bool chaos_strikes(chaos what) noexcept { return chaos_has(what) && happens(); }

void chaos_point(chaos what) noexcept {
  if (chaos_strikes(what)) pause();
}

unsigned chaos_pick(unsigned n) noexcept { return static_cast<unsigned>((roll() >> 32) * n >> 32); }

}  // namespace mortise::inline MORTISE_ABI

#endif
