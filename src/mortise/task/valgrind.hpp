#pragma once

// What valgrind must be told of stacks that the program makes itself (-DMORTISE_VALGRIND=ON; needs valgrind's headers). Not
// under valgrind each of these is a handful of instructions without effect; in a build without it they are nothing at all.

#include <cstddef>

#include <mortise/base/abi.hpp>

#if defined(MORTISE_VALGRIND) && MORTISE_VALGRIND
#include <valgrind/memcheck.h>
#define MORTISE_KNOWS_VALGRIND 1
#else
#define MORTISE_KNOWS_VALGRIND 0
#endif

namespace mortise::inline MORTISE_ABI::task_detail {

// [begin, end) is a stack from now on: whose pointer comes into it has changed stacks, and not allocated a huge frame.
inline unsigned tell_of_stack([[maybe_unused]] char* begin, [[maybe_unused]] char* end) noexcept {
#if MORTISE_KNOWS_VALGRIND
  return VALGRIND_STACK_REGISTER(begin, end);
#else
  return 0;
#endif
}

inline void tell_of_stacks_end([[maybe_unused]] unsigned id) noexcept {
#if MORTISE_KNOWS_VALGRIND
  VALGRIND_STACK_DEREGISTER(id);
#endif
}

// What the user before left below his last frame is no longer out of bounds, nor has it a value.
inline void tell_of_reuse([[maybe_unused]] char* begin, [[maybe_unused]] std::size_t size) noexcept {
#if MORTISE_KNOWS_VALGRIND
  VALGRIND_MAKE_MEM_UNDEFINED(begin, size);
#endif
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
