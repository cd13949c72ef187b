// By the tables that exceptions are thrown by: no frame pointers are needed, and a fiber's stack ends where it begins. glibc's backtrace() does the
// same, but loads a library for it.
#include <mortise/insight/call_stack.hpp>

#include <unwind.h>

#include <algorithm>

namespace mortise::inline MORTISE_ABI::insight {

call_stack call_stack::here() noexcept {
  call_stack s;
  _Unwind_Backtrace(
      [](_Unwind_Context* at, void* to) {
        auto& found = *static_cast<call_stack*>(to);
        int before = 0;  // where a signal came in the address is of the instruction itself
        const std::uintptr_t address = _Unwind_GetIPInfo(at, &before);
        if (address == 0 || found.depth == most) return _URC_END_OF_STACK;
        found.calls[found.depth++] = before != 0 ? address : address - 1;
        return _URC_NO_REASON;
      },
      &s);
  return s;
}

bool call_stack::operator==(const call_stack& other) const noexcept {
  return depth == other.depth && std::equal(calls.begin(), calls.begin() + depth, other.calls.begin());
}

std::size_t call_stack::hash() const noexcept {
  std::size_t h = depth;
  for (std::size_t i = 0; i < depth; ++i) h = (h ^ calls[i]) * 0x9E3779B97F4A7C15u;
  return h ^ (h >> 32);
}

}  // namespace mortise::inline MORTISE_ABI::insight
