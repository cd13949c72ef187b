#pragma once

// insight::profile: who makes others wait for locks, and for how long.
//
//     mortise::insight::profile::start();
//     ...                                                  // the program at work
//     mortise::insight::profile::stop();
//     mortise::insight::profile::write("locks.pb.gz");     // go tool pprof -top locks.pb.gz

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include <mortise/base/abi.hpp>

// The contention profile of this process, in pprof's format: `go tool pprof`, Perfetto and speedscope show it.
//
// What is in it, by place (a stack of calls)
//   contentions, delay  Where a mutex or shared_mutex was unlocked for which others were waiting, and for how long somebody waited for it
//                       because of that hold: from when the lock was last freed or taken by a waiter, or the first one came, to the unlock. It
//                       does not count twice where several wait. Of readers that are inside together it is the last one's.
//   waits, wait         Where parties waited for a lock, semaphore, latch or condition, until they had it or gave up. Only
//                       waits that have ended, and in which the party slept.
// Each has the label `kind` ("mutex"). The figures are estimates from samples, each of which stands for what was not sampled: nothing is
// left out in favour of anything else.
//
// Promises
// - Y1 A delay is at the place of who held the lock, not of who waited; delays of several places are in the ratio of their hold times.
// - Y2 It can be started and stopped at any time, while locks are in use. Nothing is recorded while it is stopped, and then a slow path pays
//   one load.
// Does not promise sections that a task runs in its own turn (0.1 ms) while the next one, which was told, has not come yet: nobody
// waits for the lock then, but for a core. Locks of other scopes than the process are seen by how tasks of this process queue for them.
// Cost while it runs: docs/decisions/profile.md; memory for each place, of which it keeps 65,536.
namespace mortise::inline MORTISE_ABI::insight::profile {

struct options {
  // How much delay or wait one sample stands for at least, and how far apart samples are in time; 0: everything is recorded.
  std::chrono::nanoseconds every{1'000'000};
};

// Begins anew: forgets what was recorded before. If it runs already, it goes on with these options.
MORTISE_API void start(options o = {});
// What was recorded is kept. If it does not run, nothing happens.
MORTISE_API void stop() noexcept;
MORTISE_API bool runs() noexcept;

// Writes what has been recorded so far; it may still run. Throws std::system_error if the file cannot be written, and
// std::runtime_error in a build without what encodes it (protozero and zlib).
MORTISE_API void write(const std::string& file);
MORTISE_API void write(std::ostream& to);
MORTISE_API bool can_write() noexcept;

// The same for pictures: of each place the innermost function that is neither ours nor the standard library's, most delay first.
struct place {
  std::string function;  // its address, if nobody knows its name
  std::string file;      // empty: not known
  int line = 0;
  double contentions = 0, delay_ns = 0, waits = 0, wait_ns = 0;
};
MORTISE_API std::vector<place> places();

}  // namespace mortise::inline MORTISE_ABI::insight::profile
