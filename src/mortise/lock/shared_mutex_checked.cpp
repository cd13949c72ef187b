// What checked builds keep of mortise::shared_mutex: who has taken it, for the order of locks (lock_order.hpp). Misuse that its state shows is
// named in every build.
#include <mortise/base/abi.hpp>

#if MORTISE_IS_CHECKED

#include <algorithm>
#include <unordered_map>
#include <vector>

#include <mortise/lock/order_check.hpp>
#include <mortise/lock/shards.hpp>
#include <mortise/lock/shared_mutex.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI {
namespace {

struct takers : std::unordered_map<const void*, std::vector<const wait::parker*>> {};
using sharded = lock_detail::shards<takers, 8>;
[[maybe_unused]] const auto& made_at_load = sharded::all();

void put(const void* lock, const wait::parker* taker) {
  if (taker != nullptr) (*sharded::of{lock})[lock].push_back(taker);
}

// Who has taken what `me` gives back: `me`, if it has taken it, else anyone, from whom it was handed. Null: nobody that is known.
const wait::parker* take_out(const void* lock, const wait::parker* me) {
  const sharded::of shard{lock};
  const auto at = shard->find(lock);
  if (at == shard->end()) return nullptr;
  std::vector<const wait::parker*>& all = at->second;
  auto one = std::find(all.begin(), all.end(), me);
  if (one == all.end()) one = all.begin();
  const wait::parker* const taker = *one;
  all.erase(one);
  if (all.empty()) shard->erase(at);
  return taker;
}

}  // namespace

void shared_mutex::noted_wait() noexcept {
  lock_detail::about_to_wait(this);
  asm volatile("");  // a tail call would take a frame out of the stack
}
void shared_mutex::noted_async_wait() noexcept {
  lock_detail::about_to_await(this);
  asm volatile("");
}

void shared_mutex::noted(mode m) noexcept {
  put(this, lock_detail::taken(this, lock_detail::way::blocking, m == writing));
}
void shared_mutex::noted_async(mode m) noexcept {
  put(this, lock_detail::taken(this, lock_detail::way::async, m == writing));
}

void shared_mutex::noted_release() noexcept {
  lock_detail::released(this, take_out(this, &wait::this_context().self()));
}

void shared_mutex::noted_end() noexcept { lock_detail::destroyed(this); }

}  // namespace mortise::inline MORTISE_ABI

#endif
