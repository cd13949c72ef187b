// Stacks of fibers in a model build: from the arena, so that an abandoned execution leaves nothing behind. Stands in for task/stack.cpp.
#include <bit>
#include <mutex>
#include <new>

#include <mortise/task/stack.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

stack_pool::stack_pool(std::size_t size) : m_size{std::bit_ceil(size)} {}
stack_pool::~stack_pool() = default;

stack_pool::stack stack_pool::take() {
  const std::lock_guard hold{m_guard};
  if (!m_free.empty()) {
    const stack s = m_free.back();
    m_free.pop_back();
    return s;
  }
  return {static_cast<char*>(::operator new(m_size, std::align_val_t{m_size})), false};
}

void stack_pool::give_back(stack s, unsigned long) noexcept {
  const std::lock_guard hold{m_guard};
  m_free.push_back(s);
}

stack_span guarded_stack_at(const void*) noexcept { return {nullptr, 0}; }

}  // namespace mortise::inline MORTISE_ABI::task_detail
