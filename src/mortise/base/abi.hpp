#pragma once

// The ABI tag and symbol visibility.
//
// Everything lives in an inline namespace that names how it was compiled. A checked object
// (MORTISE_CHECKED=1: locks keep owners and name misuse) and an unchecked library therefore fail at link
// time, instead of running with a fast path and a slow path that disagree.

#if defined(MORTISE_CHECKED) && MORTISE_CHECKED
#define MORTISE_IS_CHECKED 1
#else
#define MORTISE_IS_CHECKED 0
#endif

// MORTISE_MODEL=1: the seams of base/ (atomic, plain, futex, membarrier, clocks, OS threads and mutexes,
// thread-locals, globals) are those of the explorer in tests/explore, which runs the code under every schedule.
#if defined(MORTISE_MODEL) && MORTISE_MODEL
#define MORTISE_IS_MODEL 1
#define MORTISE_ABI v0_model
#elif MORTISE_IS_CHECKED
#define MORTISE_IS_MODEL 0
#define MORTISE_ABI MORTISE_ABI_OF(v0_checked)
#else
#define MORTISE_IS_MODEL 0
#define MORTISE_ABI MORTISE_ABI_OF(v0)
#endif

// MORTISE_CHAOS=1: a build that looks for bugs, see chaos.hpp.
#if defined(MORTISE_CHAOS) && MORTISE_CHAOS && !MORTISE_IS_MODEL
#define MORTISE_IS_CHAOS 1
#define MORTISE_ABI_OF(tag) tag##_chaos
#else
#define MORTISE_IS_CHAOS 0
#define MORTISE_ABI_OF(tag) tag
#endif

// Tags in the upper byte of pointers are lost where we keep 48 bits of one (pointer_bits.hpp).
#if defined(__has_feature)
#if __has_feature(hwaddress_sanitizer) || __has_feature(memtag_stack)
#define MORTISE_DETAIL_TAGGED_POINTERS_
#endif
#endif
#if defined(__SANITIZE_HWADDRESS__) || defined(MORTISE_DETAIL_TAGGED_POINTERS_)
#error "mortise keeps 48 bits of a pointer: it works neither with -fsanitize=hwaddress nor with memtag-stack"
#endif

#define MORTISE_API __attribute__((visibility("default")))

namespace mortise::inline MORTISE_ABI {}
