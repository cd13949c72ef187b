#pragma once

// What mortise::atomic and mortise::plain are in a model build, see mortise/base/atomic.hpp.

#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <source_location>
#include <type_traits>
#include <utility>

#include <explore/memory.hpp>

namespace explore {

using here = std::source_location;

constexpr order order_of(std::memory_order o) noexcept {
  switch (o) {
    case std::memory_order_relaxed: return order::relaxed;
    case std::memory_order_release: return order::release;
    case std::memory_order_acq_rel: return order::acq_rel;
    case std::memory_order_seq_cst: return order::seq_cst;
    default: return order::acquire;
  }
}
constexpr std::memory_order failure_order(std::memory_order o) noexcept {
  if (o == std::memory_order_acq_rel) return std::memory_order_acquire;
  return o == std::memory_order_release ? std::memory_order_relaxed : o;
}

template <class T>
std::uint64_t bits_of(T v) noexcept {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
  std::uint64_t b = 0;
  std::memcpy(&b, &v, sizeof v);
  return b;
}
template <class T>
T of_bits(std::uint64_t b) noexcept {
  T v;
  std::memcpy(&v, &b, sizeof v);
  return v;
}

template <class T>
class atomic {
 public:
  using value_type = T;
  constexpr atomic() noexcept : atomic(T{}) {}
  constexpr atomic(T v) noexcept : m_value{v} {
    if (!std::is_constant_evaluated() && engine::instance().active()) memory::instance().born(&m_value);
  }
  constexpr ~atomic() {
    if (!std::is_constant_evaluated()) memory::instance().destroyed(&m_value);
  }
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  using memory_order = std::memory_order;
  static constexpr memory_order seq_cst = std::memory_order_seq_cst;

  T load(memory_order o = seq_cst, here w = here::current()) const noexcept {
    return of_bits<T>(memory::instance().load(cell(), sizeof(T), order_of(o), w));
  }
  void store(T v, memory_order o = seq_cst, here w = here::current()) noexcept {
    memory::instance().store(cell(), sizeof(T), bits_of(v), order_of(o), w);
  }
  T exchange(T v, memory_order o = seq_cst, here w = here::current()) noexcept {
    return change(v, o, w, [](std::uint64_t, std::uint64_t argument) { return argument; });
  }
  bool compare_exchange_strong(T& expected, T v, memory_order o, memory_order failure,
                               here w = here::current()) noexcept {
    return compare_exchange(expected, v, o, failure, false, w);
  }
  bool compare_exchange_weak(T& expected, T v, memory_order o, memory_order failure,
                             here w = here::current()) noexcept {
    return compare_exchange(expected, v, o, failure, true, w);
  }
  bool compare_exchange_strong(T& expected, T v, memory_order o = seq_cst,
                               here w = here::current()) noexcept {
    return compare_exchange(expected, v, o, failure_order(o), false, w);
  }
  bool compare_exchange_weak(T& expected, T v, memory_order o = seq_cst, here w = here::current()) noexcept {
    return compare_exchange(expected, v, o, failure_order(o), true, w);
  }
  T fetch_add(T n, memory_order o = seq_cst, here w = here::current()) noexcept {
    return change(n, o, w, [](std::uint64_t old, std::uint64_t a) {
      return bits_of<T>(static_cast<T>(of_bits<T>(old) + of_bits<T>(a)));
    });
  }
  T fetch_sub(T n, memory_order o = seq_cst, here w = here::current()) noexcept {
    return change(n, o, w, [](std::uint64_t old, std::uint64_t a) {
      return bits_of<T>(static_cast<T>(of_bits<T>(old) - of_bits<T>(a)));
    });
  }
  T fetch_or(T n, memory_order o = seq_cst, here w = here::current()) noexcept {
    return change(n, o, w, [](std::uint64_t old, std::uint64_t a) { return old | a; });
  }
  T fetch_and(T n, memory_order o = seq_cst, here w = here::current()) noexcept {
    return change(n, o, w, [](std::uint64_t old, std::uint64_t a) { return old & a; });
  }
  T fetch_xor(T n, memory_order o = seq_cst, here w = here::current()) noexcept {
    return change(n, o, w, [](std::uint64_t old, std::uint64_t a) { return old ^ a; });
  }
  // Restartable sequences of the kernel's, see README.md: one byte, or all of it, is stored if the word is `expected`. False: it is
  // not, or the sequence was interrupted.
  bool store_byte_if(T expected, unsigned byte, std::uint8_t v, here w = here::current()) noexcept {
    static_assert(sizeof(T) == 8);
    return memory::instance().store_if(cell(), bits_of(expected), std::uint64_t{0xff} << (8 * byte),
                                       std::uint64_t{v} << (8 * byte), w);
  }
  bool store_word_if(T expected, T v, here w = here::current()) noexcept {
    static_assert(sizeof(T) == 8);
    return memory::instance().store_if(cell(), bits_of(expected), whole, bits_of(v), w);
  }
  operator T() const noexcept { return load(); }
  T operator=(T v) noexcept {
    store(v);
    return v;
  }

 private:
  void* cell() const noexcept { return const_cast<T*>(&m_value); }
  T change(T v, memory_order o, here w, memory::change_function f) noexcept {
    return of_bits<T>(memory::instance().modify(cell(), sizeof(T), f, bits_of(v), order_of(o), w));
  }
  bool compare_exchange(T& expected, T v, memory_order o, memory_order failure, bool weak, here w) noexcept {
    std::uint64_t e = bits_of(expected);
    const bool done = memory::instance().compare_exchange(cell(), sizeof(T), e, bits_of(v), order_of(o),
                                                          order_of(failure), weak, w);
    if (!done) expected = of_bits<T>(e);
    return done;
  }
  T m_value;
};

// Data that a lock or a handover orders; that it does is checked by what C++ says.
template <class T>
class plain {
 public:
  constexpr plain() noexcept : plain(T{}) {}
  constexpr plain(T v) noexcept : m_value{v} {
    if (!std::is_constant_evaluated() && engine::instance().active()) memory::instance().born_plain(&m_value);
  }
  constexpr plain(const plain& o) noexcept : plain(o.m_value) {}
  constexpr ~plain() {
    if (!std::is_constant_evaluated()) memory::instance().destroyed(&m_value);
  }
  operator T() const noexcept { return get(); }
  T get(here w = here::current()) const noexcept {
    memory::instance().read_plain(&m_value, w);
    return m_value;
  }
  void set(T v, here w = here::current()) noexcept {
    memory::instance().write_plain(&m_value, w);
    m_value = v;
  }
  plain& operator=(T v) noexcept {
    set(v);
    return *this;
  }
  plain& operator=(const plain& o) noexcept {
    set(o.get());
    return *this;
  }
  T operator->() const noexcept
    requires std::is_pointer_v<T>
  {
    return get();
  }
  T operator++() noexcept {
    set(get() + 1);
    return m_value;
  }

 private:
  T m_value;
};

}  // namespace explore
