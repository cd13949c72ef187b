#pragma once

#include <string>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/task/task_block.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

struct scope_core;

// The tasks of all runtimes that are not over, as they were seen one after the other: each may be in another state by now, or over.
struct live_task {
  const wait::parker* parker;
  const scope_core* scope;
  std::string text;   // "fiber 12 'loader'"
  const char* state;  // "running", "sleeping", "queued", "parked"
  wait::party kind;
};
MORTISE_API std::vector<live_task> live_tasks();

// "fiber 12 'loader'"; "thread 4711" for who is no task of ours.
MORTISE_API std::string text_of(const wait::parker& who, wait::party kind);
MORTISE_API std::string text_of(const wait::parker& who);

}  // namespace mortise::inline MORTISE_ABI::task_detail
