#include <mortise/base/fatal.hpp>

#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace mortise::inline MORTISE_ABI {

void fatal(const char* format, ...) noexcept {
  char line[512] = "mortise: ";
  const std::size_t prefix = std::strlen(line);
  va_list args;
  va_start(args, format);
  std::vsnprintf(line + prefix, sizeof line - prefix - 1, format, args);
  va_end(args);
  std::size_t length = std::strlen(line);
  line[length++] = '\n';
  // One write, so that lines of several dying threads do not interleave; nothing can be done about a failure.
  [[maybe_unused]] auto written = ::write(STDERR_FILENO, line, length);
  std::abort();
}

}  // namespace mortise::inline MORTISE_ABI
