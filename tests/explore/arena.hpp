#pragma once

#include <cstddef>

// The heap of an execution. Each virtual thread has an arena at a fixed place, so that an object's address says which thread
// made it and as its how-manieth, in whatever order the threads ran. Nothing is reused within an execution; all of it is
// forgotten after it, also when the execution was abandoned half way.
namespace explore::arena {

void* allocate(unsigned thread, std::size_t size, std::size_t alignment);
bool contains(const void* p) noexcept;
std::size_t size_of(const void* p) noexcept;  // of a block
void forget_all() noexcept;

}  // namespace explore::arena
