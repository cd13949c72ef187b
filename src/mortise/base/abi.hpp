#pragma once

// The ABI tag and symbol visibility.
//
// Everything lives in an inline namespace that names how it was compiled. A checked object
// (MORTISE_CHECKED=1: locks keep owners and name misuse) and an unchecked library therefore fail at link
// time, instead of running with a fast path and a slow path that disagree.

#if defined(MORTISE_CHECKED) && MORTISE_CHECKED
#define MORTISE_IS_CHECKED 1
#define MORTISE_ABI v0_checked
#else
#define MORTISE_IS_CHECKED 0
#define MORTISE_ABI v0
#endif

#define MORTISE_API __attribute__((visibility("default")))

namespace mortise::inline MORTISE_ABI {}
