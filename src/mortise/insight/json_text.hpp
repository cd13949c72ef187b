#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::insight {

// How many bytes the character at the beginning of `s` takes in UTF-8; 0: it is none.
inline std::size_t utf8_length(std::string_view s) noexcept {
  const auto byte = [&](std::size_t i) noexcept {
    return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u;
  };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Written longer than need be, a half of a pair, or beyond the last one.
  const bool wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                     (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return wrong ? 0 : length;
}

// As a string of JSON, quotes included. Names may be cut in the middle of a character: what is no UTF-8 becomes a U+FFFD.
inline std::string json_text(std::string_view s) {
  std::string text = "\"";
  while (!s.empty()) {
    const std::size_t length = utf8_length(s);
    const auto c = static_cast<unsigned char>(s[0]);
    if (length == 0) {
      text += "\\ufffd";
    } else if (c < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
      text += escaped;
    } else {
      if (c == '"' || c == '\\') text += '\\';
      text += s.substr(0, length);
    }
    s.remove_prefix(length == 0 ? 1 : length);
  }
  return text += '"';
}

}  // namespace mortise::inline MORTISE_ABI::insight
