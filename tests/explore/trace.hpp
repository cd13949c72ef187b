#pragma once

// What the explorer's own files share to say what they do. Private to tests/explore/*.cpp.

#include <cstdint>
#include <cstring>
#include <source_location>
#include <string>

#include <explore/memory.hpp>

#define EXPLORE_TRACE(format, ...)                                                                 \
  do {                                                                                             \
    if (engine::instance().tracing()) engine::instance().trace(format __VA_OPT__(, ) __VA_ARGS__); \
  } while (0)

namespace explore::detail {

inline std::uint64_t value_at(const void* cell, unsigned size) noexcept {
  std::uint64_t v = 0;
  std::memcpy(&v, cell, size);
  return v;
}

constexpr bool acquires(order o) { return o == order::acquire || o == order::acq_rel || o == order::seq_cst; }
constexpr bool releases(order o) { return o == order::release || o == order::acq_rel || o == order::seq_cst; }

constexpr const char* name_of(order o) {
  constexpr const char* names[] = {"relaxed", "acquire", "release", "acq_rel", "seq_cst"};
  return names[static_cast<unsigned>(o)];
}

inline std::string place(const std::source_location& w) {
  const char* const slash = std::strrchr(w.file_name(), '/');
  return std::string(slash == nullptr ? w.file_name() : slash + 1) + ':' + std::to_string(w.line());
}

inline unsigned long long u(std::uint64_t v) { return v; }
inline unsigned name(const location& x) { return x.index; }

inline void join_views(std::vector<std::uint32_t>& into, const std::vector<std::uint32_t>& from) {
  if (into.size() < from.size()) into.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) into[i] = std::max(into[i], from[i]);
}

}  // namespace explore::detail
