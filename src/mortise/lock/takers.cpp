#include <mortise/lock/takers.hpp>

#if !MORTISE_IS_MODEL

#include <algorithm>
#include <unordered_map>

#include <mortise/lock/holder_table.hpp>
#include <mortise/lock/shards.hpp>

namespace mortise::inline MORTISE_ABI::lock_detail {
namespace {

struct takers : std::unordered_map<const void*, std::vector<taker>> {};
using sharded = shards<takers, 8>;
[[maybe_unused]] const auto& made_at_load = sharded::all();

}  // namespace

void put_taker(const void* lock, taker t) { (*sharded::of{lock})[lock].push_back(t); }

const wait::parker* take_out_taker(const void* lock, const wait::parker* me) {
  const sharded::of shard{lock};
  const auto at = shard->find(lock);
  if (at == shard->end()) return nullptr;
  std::vector<taker>& all = at->second;
  const auto first_of = [&](const wait::parker* who) {
    return std::find_if(all.begin(), all.end(), [&](const taker& t) { return t.who == who; });
  };
  auto one = first_of(me);
  if (one == all.end()) one = first_of(nullptr);
  if (one == all.end()) one = all.begin();
  const wait::parker* const who = one->who;
  all.erase(one);
  if (all.empty()) shard->erase(at);
  return who;
}

void forget_takers() noexcept {
  for (sharded::shard& s : sharded::all()) {
    const std::lock_guard hold{s.guard};
    s.table.clear();
  }
}

std::vector<taker> takers_of(const void* lock) {
  const unsigned time = holders_told();
  if (time == 0) return {};
  std::vector<taker> all;
  {
    const sharded::of shard{lock};
    if (const auto at = shard->find(lock); at != shard->end()) all = at->second;
  }
  if (holders_told() != time) all.clear();
  std::erase_if(all, [](const taker& t) { return t.who == nullptr; });
  return all;
}

}  // namespace mortise::inline MORTISE_ABI::lock_detail

#endif
