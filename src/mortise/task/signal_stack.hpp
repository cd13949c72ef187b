#pragma once

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

// An alternate signal stack for the calling thread while this lives: the overflow of a fiber's stack is
// reported on it. Leaves one that is installed already alone.
class signal_stack {
 public:
  signal_stack() noexcept;
  ~signal_stack();
  signal_stack(const signal_stack&) = delete;
  signal_stack& operator=(const signal_stack&) = delete;

 private:
  void* m_memory = nullptr;
};

}  // namespace mortise::inline MORTISE_ABI::task_detail
