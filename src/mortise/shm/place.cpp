#include <mortise/shm/place.hpp>

#include <algorithm>

#include <mortise/shm/error.hpp>

namespace mortise::inline MORTISE_ABI::shm {
namespace {

bool is_letter_or_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

constexpr std::size_t longest = 64;

}  // namespace

bool place::is_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= longest && is_letter_or_digit(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-'; });
}

place::place(tag, std::string_view name) : m_name{name} {
  if (is_name(name)) return;
  std::string shown{name.substr(0, longest + 1)};
  std::replace_if(shown.begin(), shown.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  throw error{"shared memory cannot be called '" + shown +
              "': a name has 1 to 64 letters, digits, '.', '-' and '_', and begins with none of '.' and '-'"};
}

}  // namespace mortise::inline MORTISE_ABI::shm
