#include <mortise/task/signal_stack.hpp>

#include <signal.h>
#include <sys/mman.h>

#include <cstddef>

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {
constexpr std::size_t size = std::size_t{64} << 10;
}

signal_stack::signal_stack() noexcept {
  stack_t present{};
  if (::sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE) == 0) return;
  void* const memory =
      ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;  // an overflow will then end the program without being named
  stack_t ours{};
  ours.ss_sp = memory;
  ours.ss_size = size;
  if (::sigaltstack(&ours, nullptr) == 0) {
    m_memory = memory;
  } else {
    ::munmap(memory, size);
  }
}

signal_stack::~signal_stack() {
  if (m_memory == nullptr) return;
  stack_t none{};
  none.ss_flags = SS_DISABLE;
  ::sigaltstack(&none, nullptr);
  ::munmap(m_memory, size);
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
