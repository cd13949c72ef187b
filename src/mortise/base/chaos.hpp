#pragma once

// Chaos: a build that looks for bugs (-DMORTISE_CHAOS=ON, part of the ABI tag). What schedulers, kernels and other programs
// may do at any time but hardly ever do is done often: threads are preempted at atomic operations, wakes come late or for no
// reason, work is stolen at random, and a task goes on on another worker each time it suspends.
//
//     MORTISE_CHAOS=migrate,preempt,delay,spurious,steal,abort    what is done; without it all, `none` nothing
//     MORTISE_CHAOS_SEED=123                                 without it another in each run; it is printed
//     MORTISE_CHAOS_QUIET=1                                  a seed that was given is not printed
//
// The seed fixes what each thread decides at its n-th point, not how the threads interleave: a run with the seed of one that
// failed is likelier to fail, no more.
//
// Nothing that is done here may break a promise of the library: whatever breaks under chaos is broken. In other builds, and in
// the model's, which explores every schedule itself, the functions below are empty and cost nothing.

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI {

enum class chaos : unsigned char {
  migrate,  // forced migration: who suspended goes on on another worker, where there is one that takes it
  preempt,  // a thread loses its core before or after an atomic operation; fibers give way, locks are reserved early
  delay,     // a wake that was decided on takes its time
  spurious,  // a wait ends for no reason
  steal,     // work and overdue timers are taken from a worker that does not need help, victims in any order
  abort,     // an unlock is done as if its restartable sequence had been interrupted
};

#if MORTISE_IS_CHAOS

// Where something may go wrong: a pause if `what` is on and the dice say so.
MORTISE_API void chaos_point(chaos what) noexcept;
// Whether `what` is to happen here and now.
MORTISE_API bool chaos_strikes(chaos what) noexcept;
// Whether `what` is on at all.
MORTISE_API bool chaos_has(chaos what) noexcept;
// One of 0 to n - 1, at random.
MORTISE_API unsigned chaos_pick(unsigned n) noexcept;

#else

inline void chaos_point(chaos) noexcept {}
constexpr bool chaos_strikes(chaos) noexcept { return false; }
constexpr bool chaos_has(chaos) noexcept { return false; }
constexpr unsigned chaos_pick(unsigned) noexcept { return 0; }

#endif

}  // namespace mortise::inline MORTISE_ABI
