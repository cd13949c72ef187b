#include <mortise/base/fork.hpp>

#include <pthread.h>

#include <mortise/base/fatal.hpp>

namespace mortise::inline MORTISE_ABI {

void at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept {
  const int error = ::pthread_atfork(before, in_parent, in_child);
  if (error != 0) fatal("cannot prepare for fork (errno %d)", error);
}

}  // namespace mortise::inline MORTISE_ABI
