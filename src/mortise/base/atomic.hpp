#pragma once

#include <atomic>
#include <cstdint>

#include <mortise/base/abi.hpp>

#if MORTISE_IS_MODEL
#include <explore/atomic.hpp>
#elif MORTISE_IS_CHAOS
#include <mortise/base/chaotic_atomic.hpp>
#endif

// The seam: wait/, lock/ and task/ reach atomics through these names only, so that a model checker can stand
// in for them. In a normal build they are the standard ones and cost nothing.
namespace mortise::inline MORTISE_ABI {

#if MORTISE_IS_MODEL
template <class T>
using atomic = explore::atomic<T>;
template <class T>
using plain = explore::plain<T>;
#else
#if MORTISE_IS_CHAOS
template <class T>
using atomic = chaotic_atomic<T>;
#else
template <class T>
using atomic = std::atomic<T>;
#endif

// Data without atomicity of its own, that a lock or a handover orders. The model checks that it does.
template <class T>
using plain = T;
#endif

using std::memory_order_acq_rel;
using std::memory_order_acquire;
using std::memory_order_relaxed;
using std::memory_order_release;
using std::memory_order_seq_cst;

// Keeps the compiler, not the processor, from moving memory accesses across.
inline void compiler_fence() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

// One polite turn of a spin loop: tells the core that it waits for another one. Cost: some 10 to 50 ns.
inline void cpu_relax() noexcept {
#if MORTISE_IS_MODEL
#elif defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb" ::: "memory");
#endif
}

// Adds to a counter that only one thread writes and others may read: no RMW, so some 5 ns cheaper than
// fetch_add.
template <class T>
inline void add_single_writer(atomic<T>& counter, T n) noexcept {
  // relaxed: readers want a recent count, not an order
  counter.store(counter.load(memory_order_relaxed) + n, memory_order_relaxed);
}

}  // namespace mortise::inline MORTISE_ABI
