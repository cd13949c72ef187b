#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include <mortise/base/sanitizers.hpp>
#include <support/emulated.hpp>

namespace crash {

inline bool under_valgrind() noexcept {
  const char* const loaded = std::getenv("LD_PRELOAD");
  return loaded != nullptr && std::strstr(loaded, "/vgpreload") != nullptr;
}

// Why children cannot be traced, or killed at whichever instruction, here; nullptr: they can.
inline const char* no_stepping() noexcept {
  if (mortise::sanitized) return "what a sanitizer adds would be stepped through";
  if (mortise::test::emulated()) return "the emulator has no ptrace";
  if (under_valgrind()) return "valgrind has no ptrace";
  return nullptr;
}

}  // namespace crash
