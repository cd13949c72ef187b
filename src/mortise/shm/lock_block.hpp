#pragma once

#include <cstddef>
#include <cstdint>

#include <pthread.h>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/cache_line.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// The lock of a region, in shared memory. Its algorithm is outer_lock.cpp's; who only looks reads the notes.
struct alignas(cache_line) lock_block {
  pthread_mutex_t lock;          // robust and shared: the kernel frees it when its holder dies
  atomic<std::uint64_t> token;   // of the present tenure, or of the last one
  atomic<std::uint32_t> holder;  // note: the participant whose section is running; 0: none is
  atomic<std::uint32_t>
      kept;  // note: the participant whose keeper holds the lock, for its tasks; 0: no keeper does
  atomic<std::uint32_t> request;             // 1: somebody has waited for long, newcomers go by the gate
  atomic<std::uint32_t> died;                // 1: a holder's death has not been told yet
  alignas(cache_line) pthread_mutex_t gate;  // robust and shared too: who waits in earnest, one at a time
  atomic<std::uint32_t>
      nudge;  // a futex, counts who came and had to wait: a keeper that holds the lock sleeps on it
  atomic<std::uint32_t>
      gave_way;  // a futex, 1: a keeper let go for others and sleeps until one of them has come
};

inline constexpr std::size_t lock_block_size = 512;
static_assert(sizeof(lock_block) <= lock_block_size);

// By the maker of a region, before anybody else has it: all is free, and `first_token` is what the first tenure counts on from.
// Throws: system_error.
MORTISE_API void initialise(lock_block& block, std::uint64_t first_token);

}  // namespace mortise::inline MORTISE_ABI::shm
