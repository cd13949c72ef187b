// A party's list is read and written by the party, and by whoever releases what it was handed: under the lock of its shard.
#include <mortise/lock/holds.hpp>

#if MORTISE_IS_CHECKED

#include <unordered_map>

#include <mortise/base/atomic.hpp>
#include <mortise/lock/shards.hpp>

namespace mortise::inline MORTISE_ABI::lock_detail {
namespace {

// An entry stays when its list is empty: parkers are used again, and an allocation for each lock() is saved.
struct parties : std::unordered_map<const wait::parker*, std::vector<hold>> {};
using sharded = shards<parties, 8>;
[[maybe_unused]] const auto& made_at_load = sharded::all();

constinit atomic<std::uint64_t> numbers{0};

}  // namespace

void took(const wait::parker& who, const void* lock, bool alone, bool may_be_given_away) noexcept {
  const std::uint64_t number = numbers.fetch_add(1, memory_order_relaxed) + 1;
  const sharded::of shard{&who};
  (*shard)[&who].push_back({lock, alone, may_be_given_away, number});
}

std::optional<hold> gave_back(const wait::parker& who, const void* lock) noexcept {
  const sharded::of shard{&who};
  const auto party = shard->find(&who);
  if (party == shard->end()) return std::nullopt;
  std::vector<hold>& holds = party->second;
  for (auto at = holds.end(); at != holds.begin();) {
    if ((--at)->lock != lock) continue;
    const hold h = *at;
    holds.erase(at);
    return h;
  }
  return std::nullopt;
}

std::vector<hold> held_by(const wait::parker& who) noexcept {
  const sharded::of shard{&who};
  const auto party = shard->find(&who);
  return party == shard->end() ? std::vector<hold>{} : party->second;
}

}  // namespace mortise::inline MORTISE_ABI::lock_detail

#endif
