#pragma once

#include <cstdlib>

namespace mortise::test {

// Whether the processor is emulated by qemu-user (cmake/toolchains/emulate.sh). What that one cannot do, a test that needs
// it skips, and says why.
inline bool emulated() noexcept { return std::getenv("MORTISE_EMULATED") != nullptr; }

}  // namespace mortise::test
