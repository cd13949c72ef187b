#pragma once

#include <cstdint>

#include <mortise/base/abi.hpp>
#include <mortise/base/fatal.hpp>

namespace mortise::inline MORTISE_ABI {

// What of an address is kept where it shares a 64-bit word with bits of ours: the mutex's word, the timers' entries.
//
// It is enough for what Linux gives to a program that does not ask for more: 47 bits on x86-64, at most 48 on aarch64. A hint to
// mmap above that (five-level paging, 52-bit addresses) is what asks. aarch64 leaves the upper byte to tags: those of
// HWASan are refused when compiling (abi.hpp), those of memory tagging (glibc.mem.tagging) and of an allocator of one's own here.
inline constexpr unsigned pointer_bits = 48;

// Ends the program if the address of `what` has more.
inline void require_pointer_bits(const void* p, const char* what) noexcept {
  if (reinterpret_cast<std::uintptr_t>(p) >> pointer_bits == 0) [[likely]]
    return;
  fatal("%s at %p: mortise keeps 48 bits of an address, so it can neither lie above them nor carry a tag",
        what, p);
}

}  // namespace mortise::inline MORTISE_ABI
