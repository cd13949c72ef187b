#pragma once

#include <mortise/base/abi.hpp>

// Which sanitizers this is compiled for, by g++'s and by clang's way of telling.

#if defined(__SANITIZE_ADDRESS__)
#define MORTISE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MORTISE_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define MORTISE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MORTISE_TSAN 1
#endif
#endif
#ifndef MORTISE_ASAN
#define MORTISE_ASAN 0
#endif
#ifndef MORTISE_TSAN
#define MORTISE_TSAN 0
#endif

namespace mortise::inline MORTISE_ABI {
inline constexpr bool sanitized = MORTISE_ASAN || MORTISE_TSAN;
}
