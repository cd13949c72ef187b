#pragma once

#include <array>
#include <string>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI {

// Where a call came from: return addresses, the innermost first. Cheap to take and to keep; it gets its names when it is printed.
// Cost: capture some 0.2 us a frame; the first of a process loads the unwinder, unless there was an exception before.
struct stack_trace {
  static constexpr int most = 24;
  std::array<void*, most> frames{};
  int size = 0;

  // Without the innermost `skip` frames, the caller's being the first of those that count.
  [[gnu::noinline]] MORTISE_API static stack_trace capture(int skip = 0) noexcept;

  // Appends a line for each frame: `#0 function+0x2a (module+0x1c3f)`; `addr2line -Cfe module 0x1c3f` tells file and line. A function that
  // is not exported has no name here (link with -rdynamic to see those of a program). Throws: std::bad_alloc. Requires: a stack of
  // more than 64 KiB, for the demangler; a fiber's may be smaller.
  MORTISE_API void print(std::string& to, const char* indent) const;
};

}  // namespace mortise::inline MORTISE_ABI
