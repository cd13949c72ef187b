#include <mortise/base/membarrier.hpp>

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include <mortise/base/atomic.hpp>
#include <mortise/base/fatal.hpp>

namespace mortise::inline MORTISE_ABI {

// No function-local static that is initialised here: a fork in the middle of that, which takes the kernel milliseconds, would leave it
// locked in the child for ever. Registering twice does no harm.
bool membarrier_available() noexcept {
  enum : int { unknown, granted, refused };
  static constinit atomic<int> answer{unknown};
  int known = answer.load(memory_order_relaxed);  // relaxed: the answer stands for itself
  if (known == unknown) {
    known =
        ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 ? granted : refused;
    answer.store(known, memory_order_relaxed);
  }
  return known == granted;
}

void membarrier() noexcept {
  if (::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0) return;
  fatal("membarrier failed with errno %d although it was registered", errno);
}

}  // namespace mortise::inline MORTISE_ABI
