#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/base/os_mutex.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

// Stacks of one size, cut from large mappings, committed page by page as they are touched, reused last in,
// first out.
//
// Every stack has a guard below it: MADV_GUARD_INSTALL (Linux 6.13) costs no mapping; before that mprotect,
// which costs two mappings each, for as many as a quarter of the kernel's limit allows; beyond that a canary
// that is looked at when the stack is given back.
class stack_pool {
 public:
  // `size` is rounded up to a power of two of at least 16 KiB and four pages, which on aarch64 may be 64 KiB each; guard and
  // stack share it.
  explicit stack_pool(std::size_t size);
  static constexpr std::size_t rounded(std::size_t size, std::size_t page) noexcept {
    return std::bit_ceil(std::max({size, std::size_t{16} << 10, 4 * page}));
  }
  ~stack_pool();
  stack_pool(const stack_pool&) = delete;
  stack_pool& operator=(const stack_pool&) = delete;

  // The stack is [base, base + size()), base is aligned to size(). Throws std::system_error when the kernel
  // gives no more memory or mappings.
  struct stack {
    char* base;
    bool canary;  // it has no guard page
  };
  stack take();
  // Ends the program, naming `owner`, when the canary was overwritten.
  void give_back(stack s, unsigned long owner) noexcept;

  std::size_t size() const noexcept { return m_size; }

 private:
  void map_more();

  const std::size_t m_size;
  os_mutex m_guard;
  std::vector<stack> m_free;
  std::vector<char*> m_chunks;
  std::vector<unsigned> m_told;  // valgrind's numbers of the stacks, where it is told of them
  char* m_fresh = nullptr;       // not yet used part of the last chunk
  char* m_fresh_end = nullptr;
};

// The stack whose guard contains `address`, for the overflow report: base and size, or null. Safe in a signal
// handler.
struct stack_span {
  const void* base;
  std::size_t size;
};
stack_span guarded_stack_at(const void* address) noexcept;

}  // namespace mortise::inline MORTISE_ABI::task_detail
