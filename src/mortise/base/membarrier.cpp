#include <mortise/base/membarrier.hpp>

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include <mortise/base/fatal.hpp>

namespace mortise::inline MORTISE_ABI {

bool membarrier_available() noexcept {
  static const bool registered =
      ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
  return registered;
}

void membarrier() noexcept {
  if (::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0) return;
  fatal("membarrier failed with errno %d although it was registered", errno);
}

}  // namespace mortise::inline MORTISE_ABI
