#pragma once

// What a type is called in a region, so that a program that expects another type there is refused.
//
//     template <>                                          // a name of one's own: it may say which version the layout has,
//     inline constexpr std::string_view                    // and is the same whatever compiler made the program
//         mortise::shm::type_name<counters> = "counters/2";

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <mortise/base/abi.hpp>

#define MORTISE_DETAIL_QUOTED_(x) #x
#define MORTISE_DETAIL_QUOTED(x) MORTISE_DETAIL_QUOTED_(x)

namespace mortise::inline MORTISE_ABI::shm {
namespace detail {

template <class T>
constexpr auto around_type_name() {
  return std::string_view{__PRETTY_FUNCTION__};
}

// The compiler's name for T.
template <class T>
constexpr std::string_view compilers_name() {
  constexpr std::string_view known = around_type_name<double>(), text = around_type_name<T>();
  constexpr std::size_t before = known.find("double");
  constexpr std::size_t behind = known.size() - before - std::string_view{"double"}.size();
  return text.substr(before, text.size() - before - behind);
}

// Without how this library was compiled, which a checked and an unchecked program need not share.
template <class T>
struct kept_name {
  static constexpr std::string_view tag = MORTISE_DETAIL_QUOTED(MORTISE_ABI) "::";
  std::array<char, compilers_name<T>().size()> text{};
  std::size_t size = 0;
  constexpr kept_name() {
    for (std::string_view from = compilers_name<T>(); !from.empty();) {
      if (from.starts_with(tag)) {
        from.remove_prefix(tag.size());
      } else {
        text[size++] = from.front();
        from.remove_prefix(1);
      }
    }
  }
};
template <class T>
inline constexpr kept_name<T> name_of{};

}  // namespace detail

// Unless it is specialised, the compiler's name for T. g++ and clang do not agree about all of them ("long unsigned int"), and two types of one
// name in two programs are not told from each other but by their size.
template <class T>
inline constexpr std::string_view type_name{detail::name_of<T>.text.data(), detail::name_of<T>.size};

// FNV-1a, 64 bits. Source: http://www.isthe.com/chongo/tech/comp/fnv/
constexpr std::uint64_t fnv1a(std::string_view bytes) noexcept {
  std::uint64_t h = 0xcbf2'9ce4'8422'2325;
  for (const char c : bytes) {
    h ^= static_cast<unsigned char>(c);
    h *= 0x100'0000'01b3;
  }
  return h;
}

template <class T>
inline constexpr std::uint64_t type_hash = fnv1a(type_name<T>);

}  // namespace mortise::inline MORTISE_ABI::shm
