#pragma once

#include <dlfcn.h>

#include <mortise/base/atomic.hpp>
#include <mortise/base/fatal.hpp>

namespace mortise::inline MORTISE_ABI {

// The function of the C library behind one of that name which stands in for it; looked up when it is first called. Not in a static,
// which a fork amid its initialisation would leave locked in the child.
template <class Function>
class next_function {
 public:
  explicit constexpr next_function(const char* name) noexcept : m_name{name} {}

  Function& operator*() noexcept {
    void* f = m_known.load(memory_order_relaxed);  // relaxed: the same for whoever looks it up
    if (f == nullptr) {
      f = ::dlsym(RTLD_NEXT, m_name);
      if (f == nullptr) fatal("%s is not to be found in the C library", m_name);
      m_known.store(f, memory_order_relaxed);
    }
    return *reinterpret_cast<Function*>(f);
  }

 private:
  const char* m_name;
  atomic<void*> m_known{nullptr};
};

}  // namespace mortise::inline MORTISE_ABI
