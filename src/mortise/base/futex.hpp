#pragma once

#include <cstdint>

#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>

// The kernel's wait queue on a 32-bit word, private to this process. Part of the seam that a model checker
// replaces.
namespace mortise::inline MORTISE_ABI {

// Sleeps while `word == expected`, until woken or until the monotonic time `deadline`. May return at any
// time: callers loop on their own condition.
MORTISE_API void futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected,
                            nanos deadline) noexcept;

// Wakes up to `count` threads that sleep on `word`. Touches only the address, never the memory behind it, so
// the word may be gone already.
MORTISE_API void futex_wake(const atomic<std::uint32_t>& word, int count) noexcept;

}  // namespace mortise::inline MORTISE_ABI
