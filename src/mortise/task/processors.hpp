#pragma once

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

// How many processors this process may keep busy: those of its affinity mask, but no more than the CPU quota
// of its cgroup (v2 or v1, rounded up), at least 1 and at most 1,024.
unsigned usable_processors() noexcept;

// The quota written in a cgroup v2 cpu.max file ("200000 100000", "max 100000") in processors, rounded up; 0:
// none.
unsigned quota_of(const char* cpu_max) noexcept;

}  // namespace mortise::inline MORTISE_ABI::task_detail
