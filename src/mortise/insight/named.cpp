#include <mortise/insight/named.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <mutex>

#include <mortise/base/fork.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/process_global.hpp>

namespace mortise::inline MORTISE_ABI::insight {
namespace {

struct entry {
  std::uintptr_t end;
  std::string name;
};
struct names {
  os_mutex guard;
  std::map<std::uintptr_t, entry>* by_begin = nullptr;  // made with the first name, never destroyed
};
constinit process_global<names> known;

std::string printable(std::string_view name) {
  std::string text{name.substr(0, named::longest)};
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; },
      '?');
  return text;
}

}  // namespace

named::named(const void* begin, std::size_t size, std::string_view name) : m_begin{begin} {
  hold_over_forks<known>();
  const auto at = reinterpret_cast<std::uintptr_t>(begin);
  entry e{at + size, printable(name)};
  const std::lock_guard hold{known->guard};
  if (known->by_begin == nullptr) known->by_begin = new std::map<std::uintptr_t, entry>;
  known->by_begin->insert_or_assign(at, std::move(e));
}

named::~named() {
  const std::lock_guard hold{known->guard};
  known->by_begin->erase(reinterpret_cast<std::uintptr_t>(m_begin));
}

std::string name_of(const void* lock) {
  const auto at = reinterpret_cast<std::uintptr_t>(lock);
  char address[32];
  std::snprintf(address, sizeof address, "0x%jx", static_cast<std::uintmax_t>(at));
  const std::lock_guard hold{known->guard};
  if (known->by_begin == nullptr) return address;
  auto it = known->by_begin->upper_bound(at);
  if (it == known->by_begin->begin() || (--it)->second.end <= at) return address;
  std::string text{"'"};
  return text.append(it->second.name).append("' (").append(address).append(")");
}

}  // namespace mortise::inline MORTISE_ABI::insight
