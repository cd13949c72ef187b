#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// How a value is written down for the store. Specialise it for your type, or name another one in guarded<T, Codec>:
//
//     template <> struct mortise::cluster::codec<point> {
//       static std::string encode(const point& p);
//       static point decode(std::string_view bytes);     // throws, if that is no point
//     };
//
// For everything that nlohmann_json can convert, include <mortise/cluster/json/codec.hpp>.
template <class T>
struct codec;

template <>
struct codec<std::string> {
  static std::string encode(const std::string& s) { return s; }
  static std::string decode(std::string_view bytes) { return std::string{bytes}; }
};

template <class C, class T>
concept codec_of = requires(const T& value, std::string_view bytes) {
  { C::encode(value) } -> std::convertible_to<std::string>;
  { C::decode(bytes) } -> std::convertible_to<T>;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
