#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace app {

// Reads a duration as people write it: `1ms`, `250us`, `1.5s`, `100ns`, `2m`, `1h`, `0`. In nanoseconds;
// rounded;
// nothing if it is none or does not fit.
std::optional<std::int64_t> parse_duration(std::string_view text);

// Writes it in the largest unit in which it is a short number, in full: 1500000 is "1.5ms", 100 s is "100s" and not
// 1.66667 minutes. parse_duration reads the same from it.
std::string format_duration(std::int64_t ns);

}  // namespace app
