#include <app/run/duration.hpp>

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>

namespace app {
namespace {

struct unit {
  std::string_view name;
  double ns;
};
constexpr std::array<unit, 6> units{
    {{"h", 3.6e12}, {"m", 6e10}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}}};

bool is_number(std::string_view text) {
  if (text.empty() || text.size() > 20) return false;
  int dots = 0, digits = 0;
  for (const char c : text) {
    if (c == '.') {
      ++dots;
    } else if (c >= '0' && c <= '9') {
      ++digits;
    } else {
      return false;
    }
  }
  return digits > 0 && dots <= 1;
}

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) {
  if (text == "0") return 0;
  const auto unit_at = text.find_first_not_of("0123456789.");
  if (unit_at == std::string_view::npos || !is_number(text.substr(0, unit_at))) return std::nullopt;
  for (const unit& u : units) {
    if (text.substr(unit_at) != u.name) continue;
    const double ns = std::strtod(std::string(text.substr(0, unit_at)).c_str(), nullptr) * u.ns;
    if (!(ns < 9.2e18)) return std::nullopt;
    return std::llround(ns);
  }
  return std::nullopt;
}

std::string format_duration(std::int64_t ns) {
  if (ns == 0) return "0";
  for (const unit& u : units) {
    const double n = static_cast<double>(ns) / u.ns;
    if (n < 1) continue;
    return fmt::format("{:.6g}{}", n, u.name);
  }
  return fmt::format("{}ns", ns);
}

}  // namespace app
