#pragma once

// The codec of every type that nlohmann_json can convert to and from JSON. Link nlohmann_json::nlohmann_json.

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <mortise/base/abi.hpp>
#include <mortise/cluster/codec.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

template <class T>
struct codec {
  static std::string encode(const T& value) { return nlohmann::json(value).dump(); }
  static T decode(std::string_view bytes) { return nlohmann::json::parse(bytes).template get<T>(); }
};

}  // namespace mortise::inline MORTISE_ABI::cluster
