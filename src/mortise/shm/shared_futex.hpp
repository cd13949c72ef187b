#pragma once

#include <cstdint>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>

// base/futex.hpp for words that several processes have mapped.
namespace mortise::inline MORTISE_ABI::shm {

// Sleeps while `word == expected`, until woken or until the monotonic time `deadline`. May return at any time.
void shared_futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected, nanos deadline) noexcept;

// Wakes all who sleep on `word`, in whichever process.
void shared_futex_wake(const atomic<std::uint32_t>& word) noexcept;

}  // namespace mortise::inline MORTISE_ABI::shm
