#pragma once

#include <string_view>

#include <mortise/base/abi.hpp>

// What a task says of itself.
namespace mortise::inline MORTISE_ABI::this_task {

// Gives the running task a name, which reports of stalls and of locks that are held too long show beside its number:
//
//     tasks.go([] { mortise::this_task::name("loader"); ... });
//
// The last one given is the one that counts; an empty one takes it back. On a plain thread it does nothing.
// Without memory for it the task goes on without a name. Cost: a lock of the process and a small allocation, here and when the
// task ends; tasks without a name pay nothing.
//
// Promises
// - J1 The first 31 bytes are copied and kept until the task ends, and no longer; control characters become '?'.
MORTISE_API void name(std::string_view name) noexcept;

}  // namespace mortise::inline MORTISE_ABI::this_task
