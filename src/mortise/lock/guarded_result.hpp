#pragma once

#include <functional>
#include <ranges>
#include <type_traits>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::detail {

template <class R>
inline constexpr bool is_reference_wrapper = requires(R r) {
  typename R::type;
  requires std::is_same_v<R, std::reference_wrapper<typename R::type>>;
};

// What a closure over a guarded value may return: something that does not reach into the value. Catches what
// the type shows: references, pointers, views. (Closures with a deduced return type return by value unless
// they say otherwise.)
template <class Result, class T>
constexpr void check_result() {
  using bare = std::remove_cvref_t<Result>;
  static_assert(
      !std::is_reference_v<Result>,
      "guarded: the closure returns a reference, which would reach the value without its lock; return a copy");
  static_assert(
      !std::is_pointer_v<bare> || std::is_function_v<std::remove_pointer_t<bare>>,
      "guarded: the closure returns a pointer, which could reach the value without its lock; return a copy");
  if constexpr (!std::is_void_v<Result>) {
    static_assert(
        !is_reference_wrapper<bare> && !std::ranges::view<bare>,
        "guarded: the closure returns a view, which could reach the value without its lock; return a copy");
  }
}

}  // namespace mortise::inline MORTISE_ABI::detail
