#pragma once

// One result: a JSON object on a line of its own, beginning with the name of what was measured.

#include <concepts>
#include <cstdio>
#include <sstream>
#include <string>
#include <string_view>

namespace bench {

//     bench::json_line{"sleep/std/kind:thread"}.add("samples", 1000).add("p50_ns", 53'000).print();
//
// Requires: names and text hold no character that JSON escapes. Numbers keep six digits after the point.
class json_line {
 public:
  explicit json_line(std::string_view name) { m_text << R"({"bench": ")" << name << '"' << std::fixed; }

  template <class Number>
    requires std::integral<Number> || std::floating_point<Number>
  json_line& add(std::string_view key, Number value) {
    m_text << R"(, ")" << key << R"(": )" << value;
    return *this;
  }

  json_line& add(std::string_view key, std::string_view text) {
    m_text << R"(, ")" << key << R"(": ")" << text << '"';
    return *this;
  }

  std::string text() const { return m_text.str() + '}'; }
  void print() const {
    std::puts(text().c_str());
    std::fflush(stdout);
  }

 private:
  std::ostringstream m_text;
};

}  // namespace bench
