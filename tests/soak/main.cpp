// The soak: every kind of party on many mutexes, for as long as asked. See options.cpp for its flags.
#include <chrono>
#include <cstdio>

#include <mortise/base/sanitizers.hpp>
#include <support/emulated.hpp>

#include "memory.hpp"
#include "report.hpp"
#include "round.hpp"
#include "watchdog.hpp"

int main(int argc, char** argv) {
  using clock = std::chrono::steady_clock;
  const soak::options o = soak::parse(argc, argv);
  const soak::seat conductor{soak::kind::conductor};
  const soak::watchdog dog{std::chrono::seconds(o.bound_s)};
  soak::totals counted;
  soak::memory memory;
  soak::progress progress;
  soak::dice dice{o.seed};

  // The pools of the library and the allocator have grown to what the largest rounds need.
  const unsigned warm_up = (o.brief ? 1 : 2) * soak::rounds_in_a_cycle;
  const unsigned least = (o.brief ? 2 : 4) * soak::rounds_in_a_cycle;
  const auto began = clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(clock::now() - began).count(); };
  unsigned rounds = 0;
  std::uint64_t crowded = 0;
  do {
    const soak::round_plan plan = draw_round(rounds, dice, o);
    const std::uint64_t before = counted.read().acquisitions();
    run_round(plan, counted, *conductor, o.plant);
    if (plan.crowded) crowded += counted.read().acquisitions() - before;
    if (++rounds >= warm_up) memory.sample(elapsed());
    progress.show(rounds, counted.read(), elapsed(), o);
  } while (soak::the_ledger().failures() == 0 &&
           (rounds < least || counted.read().acquisitions() < o.ops || elapsed() < 60.0 * o.minutes));
  progress.clear();

  // Sanitizers keep what was freed; qemu-user 279 KiB for each thread that has ended.
  if (mortise::test::emulated()) {
    std::puts("soak: memory is not judged, most of it is the emulator's");
  } else if (!mortise::sanitized && !memory.flat()) {
    soak::the_ledger().fail("memory grew from %.1f to %.1f MiB, by more than %.0f", memory.first_mib(),
                            memory.last_mib(), soak::memory::bound_mib);
  }
  report(o, counted.read(), crowded, memory, rounds, elapsed(), soak::the_ledger().failures());
  return soak::the_ledger().failures() == 0 ? 0 : 1;
}
