#pragma once

#include <cstddef>

#include <mortise/base/abi.hpp>

// What the script for gdb (insight/gdb) has to know of the library. Debugging information would tell it, but the library may be
// compiled without. A table lies beside what it speaks of: constants that nothing reads at run time.

namespace mortise::inline MORTISE_ABI {

struct gdb_fact {
  const char* name;  // null: the end of the table
  std::size_t number = 0;
  const void* address = nullptr;  // of a `table`: one that belongs to this one
};

extern MORTISE_API const gdb_fact gdb_waiting[];  // wait/thread_context.cpp
extern MORTISE_API const gdb_fact gdb_holders[];  // lock/checked.cpp, or lock/holder_table.cpp

// Where the values of a std::unordered_map with pointers as keys lie in its nodes, which are chained by their first word.
#if defined(_LIBCPP_VERSION)
inline constexpr std::size_t value_in_node = 2 * sizeof(void*);
#else
inline constexpr std::size_t value_in_node = sizeof(void*);
#endif

}  // namespace mortise::inline MORTISE_ABI

// For the first of all tables: no linker drops it for want of references.
#if defined(__has_attribute)
#if __has_attribute(retain)
#define MORTISE_FOR_GDB [[gnu::used, gnu::retain]]
#endif
#endif
#if !defined(MORTISE_FOR_GDB)
#define MORTISE_FOR_GDB [[gnu::used]]
#endif
