#include <mortise/cluster/names.hpp>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace mortise::inline MORTISE_ABI::cluster {

lock_names::lock_names(std::string_view name) : m_name{name} {
  const bool printable =
      std::all_of(name.begin(), name.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
  if (name.empty() || name.size() > 200 || !printable || name.front() == '/' || name.back() == '/' ||
      name.find("//") != std::string_view::npos) {
    throw std::invalid_argument{
        "a cluster lock's name has 1 to 200 bytes, no control characters, no '//' and no '/' at its ends"};
  }
}

bool lock_names::is_of(lease_id lease, std::string_view key) const {
  const std::string mine = in_queue(lease, 0);
  return key.starts_with(std::string_view{mine}.substr(0, mine.size() - 1));
}

std::string lock_names::of(lease_id lease, std::uint64_t serial) {
  char text[40];
  char* const end = text + sizeof text;
  char* at = std::to_chars(text, end, static_cast<std::uint64_t>(lease), 16).ptr;
  *at++ = '.';
  at = std::to_chars(at, end, serial).ptr;
  return {text, at};
}

}  // namespace mortise::inline MORTISE_ABI::cluster
