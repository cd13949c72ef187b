#include <app/run/duration.hpp>

#include <array>
#include <cstddef>
#include <limits>

namespace app {
namespace {

// Everything is whole numbers: a double would lose nanoseconds from 104 days on.
__extension__ using wide = unsigned __int128;

struct unit {
  std::string_view name;
  std::int64_t ns;
  std::size_t most_decimals;  // that are written
};
constexpr std::array<unit, 6> units{{{"h", 3'600'000'000'000, 2},
                                     {"m", 60'000'000'000, 2},
                                     {"s", 1'000'000'000, 9},
                                     {"ms", 1'000'000, 6},
                                     {"us", 1'000, 3},
                                     {"ns", 1, 0}}};

// A decimal number as digits / 10^decimals.
struct decimal {
  wide digits = 0;
  wide power = 1;
};

// At most 20 characters, so that nothing below overflows.
std::optional<decimal> parse_decimal(std::string_view text) {
  if (text.empty() || text.size() > 20) return std::nullopt;
  decimal n;
  bool dot = false, any = false;
  for (const char c : text) {
    if (c == '.') {
      if (dot) return std::nullopt;
      dot = true;
    } else if (c >= '0' && c <= '9') {
      any = true;
      n.digits = n.digits * 10 + static_cast<unsigned>(c - '0');
      if (dot) n.power *= 10;
    } else {
      return std::nullopt;
    }
  }
  if (!any) return std::nullopt;
  return n;
}

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) {
  if (text == "0") return 0;
  const auto unit_at = text.find_first_not_of("0123456789.");
  if (unit_at == std::string_view::npos) return std::nullopt;
  const auto n = parse_decimal(text.substr(0, unit_at));
  if (!n) return std::nullopt;
  for (const unit& u : units) {
    if (text.substr(unit_at) != u.name) continue;
    const wide ns = (n->digits * static_cast<wide>(u.ns) + n->power / 2) / n->power;
    if (ns > static_cast<wide>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    return static_cast<std::int64_t>(ns);
  }
  return std::nullopt;
}

std::string format_duration(std::int64_t ns) {
  if (ns == 0) return "0";
  for (const unit& u : units) {
    if (ns < u.ns) continue;
    std::string text = std::to_string(ns / u.ns);
    std::int64_t rest = ns % u.ns;
    if (rest != 0) text += '.';
    for (std::size_t i = 0; i < u.most_decimals && rest != 0; ++i) {
      rest *= 10;
      text += static_cast<char>('0' + rest / u.ns);
      rest %= u.ns;
    }
    if (rest == 0) return text.append(u.name);
  }
  return std::to_string(ns) + "ns";
}

}  // namespace app
