#pragma once

#include <mortise/base/abi.hpp>

#if MORTISE_IS_MODEL
#include <explore/os.hpp>
#endif

namespace mortise::inline MORTISE_ABI {

// One object for the process, initialised at compile time and never destroyed: locks are used until the very end. Part of
// the seam that a model checker replaces: there, each execution starts with a fresh one.
#if MORTISE_IS_MODEL
template <class T>
using process_global = explore::process_global<T>;
#else
template <class T>
class process_global {
 public:
  constexpr process_global() : m_value{} {}
  constexpr ~process_global() {}
  process_global(const process_global&) = delete;
  process_global& operator=(const process_global&) = delete;
  T* operator->() noexcept { return &m_value; }
  T& operator*() noexcept { return m_value; }

 private:
  union {
    T m_value;
  };
};
#endif

}  // namespace mortise::inline MORTISE_ABI
