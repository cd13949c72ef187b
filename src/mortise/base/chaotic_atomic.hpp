#pragma once

// For base/atomic.hpp, in a chaos build: a thread may lose its core before and after whatever it does to an atomic, so that
// every window between two of them gets wide at times. Loads are left alone: what follows one is a point itself.

#include <atomic>

#include <mortise/base/chaos.hpp>

namespace mortise::inline MORTISE_ABI {

template <class T>
class chaotic_atomic : public std::atomic<T> {
  using base = std::atomic<T>;
  using order = std::memory_order;
  struct window {
    window() noexcept { chaos_point(chaos::preempt); }
    ~window() { chaos_point(chaos::preempt); }
    window(const window&) = delete;
    window& operator=(const window&) = delete;
  };

 public:
  constexpr chaotic_atomic() noexcept = default;
  constexpr chaotic_atomic(T v) noexcept : base{v} {}
  using base::operator=;

  // No point behind a store: it may be the last touch.
  void store(T v, order o = std::memory_order_seq_cst) noexcept {
    chaos_point(chaos::preempt);
    base::store(v, o);
  }
  T exchange(T v, order o = std::memory_order_seq_cst) noexcept {
    const window w;
    return base::exchange(v, o);
  }
  bool compare_exchange_strong(T& expected, T v, order on_success, order on_failure) noexcept {
    const window w;
    return base::compare_exchange_strong(expected, v, on_success, on_failure);
  }
  bool compare_exchange_strong(T& expected, T v, order o = std::memory_order_seq_cst) noexcept {
    const window w;
    return base::compare_exchange_strong(expected, v, o);
  }
  // Fails at times for no reason, as it may.
  bool compare_exchange_weak(T& expected, T v, order on_success, order on_failure) noexcept {
    const window w;
    if (chaos_strikes(chaos::spurious)) {
      expected = base::load(on_failure);
      return false;
    }
    return base::compare_exchange_weak(expected, v, on_success, on_failure);
  }
  bool compare_exchange_weak(T& expected, T v, order o = std::memory_order_seq_cst) noexcept {
    const window w;
    return base::compare_exchange_weak(expected, v, o);
  }
  template <class N>
  T fetch_add(N n, order o = std::memory_order_seq_cst) noexcept {
    const window w;
    return base::fetch_add(n, o);
  }
  template <class N>
  T fetch_sub(N n, order o = std::memory_order_seq_cst) noexcept {
    const window w;
    return base::fetch_sub(n, o);
  }
  T fetch_or(T v, order o = std::memory_order_seq_cst) noexcept {
    const window w;
    return base::fetch_or(v, o);
  }
  T fetch_and(T v, order o = std::memory_order_seq_cst) noexcept {
    const window w;
    return base::fetch_and(v, o);
  }
};

}  // namespace mortise::inline MORTISE_ABI
