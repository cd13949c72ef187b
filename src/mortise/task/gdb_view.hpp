#pragma once

#include <mortise/base/gdb_facts.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {

// The tables of the runtime for the script for gdb; a friend of what they describe.
struct gdb_view {
  static const gdb_fact tasks[];    // task_block.cpp; the script begins here
  static const gdb_fact names[];    // task_names.cpp
  static const gdb_fact members[];  // gdb_view.cpp
};

}  // namespace mortise::inline MORTISE_ABI::task_detail
