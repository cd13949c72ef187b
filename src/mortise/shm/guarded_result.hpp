#pragma once

#include <cstdint>
#include <optional>

#include <mortise/base/abi.hpp>
#include <mortise/base/outcome.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// What an update's closure may ask to be told: `[](T& value, const tenure& now) { ... }`.
struct tenure {
  std::uint64_t
      token;  // higher than that of every earlier tenure: what is outside can refuse a late writer by it
  bool
      owner_died;  // a process died in its section, and nobody has been told yet. The value is whole all the same
};

// How a bounded update has ended, and, if its closure ran, what that returned. True: it ran (`acquired`, `owner_died`).
template <class R>
struct [[nodiscard]] bounded_result {
  outcome how;
  std::optional<R> value = std::nullopt;
  explicit operator bool() const noexcept { return how == outcome::acquired || how == outcome::owner_died; }
};
template <>
struct [[nodiscard]] bounded_result<void> {
  outcome how;
  explicit operator bool() const noexcept { return how == outcome::acquired || how == outcome::owner_died; }
};

}  // namespace mortise::inline MORTISE_ABI::shm
