#pragma once

#include <string>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::insight {

// Who waits, for what, since when, who holds it, and where in the program: for one that is slow or stuck.
//
//     mortise::insight::dump_on_sigquit();  // kill -QUIT, or Ctrl-\ at a terminal
//
// Promises
// - I1 Every party that waits for a lock (also between processes, or of the cluster), a semaphore, a latch, a condition or a join, since watching
//   began, stands in it once, with the time that it has waited and, where these are kept, the stack that it waits in; those that wait for the same
//   thing in the same place stand together. Who was notified waits for the mutex; who has run for long and only gives way waits for nothing yet.
// - I2 Every task of every runtime that is not over is counted: those that run, sleep, or are queued are listed by what they do; fibers that parked
//   before watching began, by where, as far as that can be told (256 of them, with 12 KiB of stack left; not under sanitizers).
// - I3 SIGQUIT is answered on a thread of its own, whatever the program's threads are at; a handler that was there before is called then.
// - I4 Who is told to hold a mutex or shared_mutex took it and has not begun to unlock it; told of each that was taken since watching began by a party of
//   ours, in checked builds also before; but of a shared_mutex one who came in since is not told, where one who came in before leaves. A task
//   that has ended, and has given away what it took, is called as the next one that has its place.
// Does not promise the stack of what runs.
//
// Cost while watching: some 0.1 us for each wait, and some microseconds more where stacks are kept. Where holders are: some 15 to 25 ns for a lock and unlock
// that nobody waits for, three to ten times as much as a contended lock takes that is taken again at once, and of memory as much as the
// pages have that mutexes lie in (docs/decisions/insight.md). Left out, a lock that is free costs what it does.

enum class stacks : bool { kept, left_out };
// Unchecked builds; others know them anyway.
enum class holders : bool { kept, left_out };

// Waits are kept from now on, until as many calls of the other with the same arguments. A wait that has begun before is not in a dump.
MORTISE_API void watch_waits(stacks s = stacks::kept, holders h = holders::kept) noexcept;
MORTISE_API void ignore_waits(stacks s = stacks::kept, holders h = holders::kept) noexcept;

// Blocks: for as long as symbols take to read, the first time some tenths of a second. Throws: std::bad_alloc.
MORTISE_API std::string dump();

// When watching begins: with the call, or with the first SIGQUIT, whose dump then has those waits that began since, and says so. Until then
// that costs nothing.
enum class watching : bool { at_once, when_asked };

// Watches waits, and writes a dump to standard error on each SIGQUIT; the program goes on. Once; later calls do nothing. Throws:
// std::system_error when there is no thread for it.
MORTISE_API void dump_on_sigquit(stacks s = stacks::kept, watching w = watching::at_once,
                                 holders h = holders::kept);

}  // namespace mortise::inline MORTISE_ABI::insight
