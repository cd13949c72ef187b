#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/base/token_gate.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// One commit: the `op`-th of the tenure that has this token. There is no second of that name.
struct commit_id {
  mortise::token token = 0;
  std::uint64_t op = 0;
  friend bool operator==(const commit_id&, const commit_id&) = default;
};

// What stands under a guarded's key: the bytes of its value, how many commits it has had, and the names of the last of them, by which one
// whose reply was lost is found again. As text: a line `mortise 1 COUNT TOKEN.OP ...`, the newest last, then the bytes.
struct record {
  static constexpr std::size_t most_ids = 64;

  std::uint64_t count = 0;
  std::vector<commit_id> last;
  std::string bytes;

  // After one commit more, of `id`.
  MORTISE_API record with(commit_id id, std::string new_bytes) const;

  MORTISE_API std::string text() const;
  // Nothing: it is somebody else's.
  MORTISE_API static std::optional<record> parse(std::string_view text);

  enum class answer : unsigned char { yes, no, cannot_tell };
  // Whether `id`, which was to be commit number `number`, is among those that led to this.
  MORTISE_API answer contains(commit_id id, std::uint64_t number) const;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
