#pragma once

// What may lie in memory that processes share: bytes that mean the same to each of them.
//
//     struct counters { std::uint64_t n; std::array<char, 16> last; };   // shareable
//     struct not_this { std::string s; };                                // points into one process

#include <cstddef>
#include <functional>
#include <ranges>
#include <type_traits>
#include <utility>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::shm {
namespace detail {

// What means something in one process alone.
template <class T>
inline constexpr bool is_address =
    std::is_pointer_v<T> || std::is_member_pointer_v<T> || std::is_null_pointer_v<T>;
template <class T>
inline constexpr bool is_address<std::reference_wrapper<T>> = true;
template <class T>
  requires std::ranges::view<T>
inline constexpr bool is_address<T> = true;  // std::string_view, std::span

// Initialises what has no parts to look at: scalars, and classes that hide theirs or have none. An aggregate is not initialised by it, so
// that T{any, any, ...} reaches the parts of its parts one by one, by brace elision.
template <bool Addresses>
struct any_part {
  template <class P>
    requires((!std::is_aggregate_v<P> || std::is_empty_v<P>) && (Addresses || !is_address<P>))
  operator P() const noexcept;
};

template <class T, bool Addresses, std::size_t... I>
constexpr bool begins_with_parts(std::index_sequence<I...>) {
  return requires { T{(static_cast<void>(I), any_part<Addresses>{})...}; };
}
template <class T, bool Addresses, std::size_t N>
inline constexpr bool has_parts = begins_with_parts<T, Addresses>(std::make_index_sequence<N>());

// How many parts of T can be reached, at most Most.
template <class T, std::size_t Least, std::size_t Most>
constexpr std::size_t count_parts() {
  if constexpr (Least == Most) {
    return Least;
  } else {
    constexpr std::size_t middle = Least + (Most - Least + 1) / 2;
    if constexpr (has_parts<T, true, middle>) return count_parts<T, middle, Most>();
    return count_parts<T, Least, middle - 1>();
  }
}

inline constexpr std::size_t parts_looked_at = 256;

template <class T>
constexpr bool shows_address() {
  if constexpr (!std::is_class_v<T> || !std::is_aggregate_v<T>) {
    return is_address<T>;
  } else {
    return is_address<T> || !has_parts<T, false, count_parts<T, 0, parts_looked_at>()>;
  }
}

}  // namespace detail

// True for a type whose values can be copied byte by byte into another process and mean there what they meant here, as far as
// C++ shows it: pointers, references, views and pointers to members are looked for among the first 256 scalars of an aggregate, in its
// parts and their parts. They are not seen in a class with private members or constructors, nor behind the first member of a union;
// nor is an index into something that only one process has. Those are for whoever writes the type.
template <class T>
concept shareable =
    std::is_object_v<T> && std::is_same_v<T, std::remove_cv_t<T>> && !std::is_array_v<T> &&
    std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T> && std::is_default_constructible_v<T> &&
    std::is_copy_constructible_v<T> && !detail::shows_address<T>();

// The same, saying what is wrong.
template <class T>
constexpr void check_shareable() {
  static_assert(std::is_object_v<T> && std::is_same_v<T, std::remove_cv_t<T>> && !std::is_array_v<T>,
                "shared memory holds a modifiable object; for an array take std::array");
  static_assert(
      !std::is_polymorphic_v<T>,
      "shared memory: the type has virtual functions, whose addresses differ from process to process");
  static_assert(
      std::is_polymorphic_v<T> || std::is_trivially_copyable_v<T>,
      "shared memory: the type is not trivially copyable (has it a std::string, a container, a std::pair?); take "
      "std::array, shm::map, or a struct of such");
  static_assert(std::is_polymorphic_v<T> || !std::is_trivially_copyable_v<T> || std::is_standard_layout_v<T>,
                "shared memory: the type has no standard layout (a reference, or members in several base "
                "classes or of several accesses)");
  static_assert(std::is_copy_constructible_v<T> || !std::is_trivially_copyable_v<T>,
                "shared memory: the type cannot be copied");
  static_assert(std::is_default_constructible_v<T>,
                "shared memory: the type has no default constructor, and a new region begins with T{}");
  if constexpr (std::is_trivially_copyable_v<T> && std::is_standard_layout_v<T>) {
    static_assert(
        !detail::shows_address<T>(),
        "shared memory: the type holds a pointer, a view or a pointer to member, which mean nothing in another process; "
        "take an index");
  }
}

}  // namespace mortise::inline MORTISE_ABI::shm
