#pragma once

// insight::trace: which task ran on which worker when, who waited for what, and who woke whom, as a picture in time.
//
//     mortise::insight::trace::start();
//     ...                                                  // the program at work
//     mortise::insight::trace::stop();
//     mortise::insight::trace::write("trace.json");        // open it in ui.perfetto.dev

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string>

#include <mortise/base/abi.hpp>
#include <mortise/base/clock.hpp>

// A trace of this process in Chrome's Trace Event Format, which Perfetto, chrome://tracing and speedscope open.
//
// What is in it
//   threads            A track for each thread that was seen: on a worker's a slice for each time that a task runs, called by its name or "fiber 12",
//                      with how it was left (parks, sleeps, yields, ends); on another thread's its waits.
//   tasks that wait    A track for each fiber or coroutine that waited, with its waits: for what kind of lock, at which address.
//   arrows             From the slice in which a party was woken to the slice in which it goes on; of a thread, to the end of its wait.
//
// Promises
// - TL1 Until its end a trace is whole: when there is no room for more it ends at that moment, for all threads, and says how many events came later.
// - TL2 Slices of one thread do not overlap unless one lies within the other, and no arrow points back in time.
// - TL3 It can be started and stopped at any time, while locks are in use. Nothing is recorded while it is stopped, and then a switch between
//   tasks pays one load more, twice.
// Does not promise arrows for wakes that come before their party sleeps, or from timers to sleepers that are due. Nor
// waits that had begun before, nor in a child after fork.
//
// Cost while it runs: a look at the clock and some 48 bytes for each event; a switch between fibers is two. docs/decisions/trace.md.
namespace mortise::inline MORTISE_ABI::insight::trace {

struct options {
  std::size_t most_events = 1'000'000;  // all threads together; as a file some 70 bytes each
};

// Begins anew: forgets what was recorded before.
MORTISE_API void start(options o = {});
// What was recorded is kept. If it does not run, nothing happens.
MORTISE_API void stop() noexcept;

struct summary {
  std::uint64_t events = 0;    // that were recorded
  std::uint64_t left_out = 0;  // that came when there was no room any more
  nanos lasted = 0;            // what the trace covers
};

// Writes what has been recorded so far; it may still run. Throws std::system_error if the file cannot be written, and std::bad_alloc. Requires: it is called
// by one thread at a time.
MORTISE_API summary write(const std::string& file);
MORTISE_API summary write(std::ostream& to);

}  // namespace mortise::inline MORTISE_ABI::insight::trace
