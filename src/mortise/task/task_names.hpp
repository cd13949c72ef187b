#pragma once

#include <cstddef>
#include <string_view>

#include <mortise/task/task_block.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

// Names that tasks gave themselves, in a table beside them: a task block is one cache line, and full.

constexpr std::size_t longest_name = 31;

void name_task(task_block& t, std::string_view name) noexcept;  // called by `t`
void forget_name(task_block& t) noexcept;                       // when `t` is recycled

// "fiber 12 'loader'", or "fiber 12" where it has no name. From any thread: a task that has just ended is described by its
// number.
struct task_text {
  char chars[96];
};
MORTISE_API task_text name_of(const task_block& t) noexcept;  // the name alone, or nothing
task_text describe(const task_block& t, wait::party kind) noexcept;

}  // namespace mortise::inline MORTISE_ABI::task_detail
