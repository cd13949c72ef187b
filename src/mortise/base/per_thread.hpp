#pragma once

#include <mortise/base/abi.hpp>

#if MORTISE_IS_MODEL
#include <explore/os.hpp>
#endif

// A thread-local of the OS thread. Part of the seam that a model checker replaces: there, each explored thread has
// its own. __thread and not thread_local: no initialisation, no wrapper function.
#if MORTISE_IS_MODEL
#define MORTISE_PER_THREAD(T) constinit ::explore::per_thread<T>
#define MORTISE_EXTERN_PER_THREAD(T) extern ::explore::per_thread<T>
#else
#define MORTISE_PER_THREAD(T) __thread T
// initial-exec: no function call.
#define MORTISE_EXTERN_PER_THREAD(T) extern MORTISE_API __attribute__((tls_model("initial-exec"))) __thread T
#endif

namespace mortise::inline MORTISE_ABI {

// A compiler may keep a thread-local's address across a suspension, after which the caller is on another thread. Where that
// must be harmless, access is a relaxed atomic without an RMW.
#if MORTISE_IS_MODEL
template <class T>
T load_any_thread(const explore::per_thread<T>& v) noexcept {
  return v;
}
template <class T>
void store_any_thread(explore::per_thread<T>& v, T value) noexcept {
  v = value;
}
#else
template <class T>
T load_any_thread(const T& v) noexcept {
  return __atomic_load_n(&v, __ATOMIC_RELAXED);
}
template <class T>
void store_any_thread(T& v, T value) noexcept {
  __atomic_store_n(&v, value, __ATOMIC_RELAXED);
}
#endif

}  // namespace mortise::inline MORTISE_ABI
