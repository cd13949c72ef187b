#pragma once

// Clang's thread safety analysis, if asked for: define MORTISE_THREAD_SAFETY before the first include and
// compile with -Wthread-safety. Annotate your data with MORTISE_GUARDED_BY(m); an access without the lock is
// then a compile error under -Werror. std::lock_guard and friends are not annotated in libstdc++: use
// mortise::scoped_hold, or guarded<T>, which needs no analysis.

#if defined(MORTISE_THREAD_SAFETY) && defined(__clang__)
#define MORTISE_TSA(x) __attribute__((x))
#else
#define MORTISE_TSA(x)
#endif

#define MORTISE_CAPABILITY(name) MORTISE_TSA(capability(name))
#define MORTISE_SCOPED_CAPABILITY MORTISE_TSA(scoped_lockable)
#define MORTISE_GUARDED_BY(lock) MORTISE_TSA(guarded_by(lock))
#define MORTISE_REQUIRES(...) MORTISE_TSA(requires_capability(__VA_ARGS__))
#define MORTISE_ACQUIRE(...) MORTISE_TSA(acquire_capability(__VA_ARGS__))
#define MORTISE_TRY_ACQUIRE(...) MORTISE_TSA(try_acquire_capability(__VA_ARGS__))
#define MORTISE_RELEASE(...) MORTISE_TSA(release_capability(__VA_ARGS__))
#define MORTISE_NO_ANALYSIS MORTISE_TSA(no_thread_safety_analysis)
