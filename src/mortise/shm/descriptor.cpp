#include <mortise/shm/descriptor.hpp>

#include <algorithm>

#include <fcntl.h>

namespace mortise::inline MORTISE_ABI::shm {

int reopen(int fd) noexcept {
  constexpr int prefix = 14;
  char path[prefix + 12] = "/proc/self/fd/";
  char digits[11];  // by hand: this runs in forked children too, where little may be called
  int n = 0;
  do digits[n++] = static_cast<char>('0' + fd % 10);
  while ((fd /= 10) != 0);
  *std::reverse_copy(digits, digits + n, path + prefix) = '\0';
  return ::open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

}  // namespace mortise::inline MORTISE_ABI::shm
