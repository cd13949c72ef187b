#include <app/run/duration.hpp>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "properties.hpp"

namespace fuzz {
namespace {

// The same grammar, read another way: a number with digits and at most one dot, then a unit.
std::optional<long double> as_read_by_strtold(std::string_view text) {
  if (text == "0") return 0;
  const std::size_t digits = text.find_first_not_of("0123456789.");
  if (digits == text.npos || digits == 0 || digits > 20) return std::nullopt;
  const std::string number(text.substr(0, digits));
  if (number == "." || number.find('.') != number.rfind('.')) return std::nullopt;
  const std::string_view unit = text.substr(digits);
  const long double ns = unit == "ns"   ? 1
                         : unit == "us" ? 1e3L
                         : unit == "ms" ? 1e6L
                         : unit == "s"  ? 1e9L
                         : unit == "m"  ? 60e9L
                         : unit == "h"  ? 3600e9L
                                        : 0;
  if (ns == 0) return std::nullopt;
  return std::strtold(number.c_str(), nullptr) * ns;
}

void reads_back(std::int64_t ns, std::string_view from) {
  const std::string written = app::format_duration(ns);
  const auto again = app::parse_duration(written);
  if (again != ns) {
    throw broken("a duration is written so that it reads back: " + std::string(from) + " is " +
                 std::to_string(ns) + " ns, written " + written + ", which is " +
                 (again ? std::to_string(*again) + " ns" : "none"));
  }
}

}  // namespace

void duration_properties(std::string_view text) {
  const auto ns = app::parse_duration(text);
  const auto expected = as_read_by_strtold(text);
  if (ns && !expected) throw broken("only durations are accepted: " + std::string(text));
  if (ns && *ns < 0) throw broken("no duration is below 0: " + std::string(text));
  if (!ns && expected && *expected < 9.2e18L)
    throw broken("durations that fit are accepted: " + std::string(text));
  if (ns && std::fabs(static_cast<long double>(*ns) - *expected) > 0.5L + *expected * 1e-18L) {
    throw broken("a duration is read to the nanosecond: " + std::string(text) + " as " + std::to_string(*ns));
  }
  if (ns) reads_back(*ns, text);
  if (text.size() >= sizeof(std::int64_t)) {
    std::int64_t n = 0;
    std::memcpy(&n, text.data(), sizeof n);
    reads_back(n & INT64_MAX, "a number");
  }
}

}  // namespace fuzz
