#include <mortise/task/counter.hpp>

#include <mortise/base/per_thread.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {
constinit atomic<std::size_t> threads{0};
MORTISE_PER_THREAD(std::size_t) my_shard{0};  // 0: not assigned yet, else 1 more than the shard
}  // namespace

std::size_t counter_shard() noexcept {
  asm volatile(
      "" ::
          : "memory");  // the answer changes when the caller changes threads: keep calls from being merged
  if (my_shard == 0) my_shard = threads.fetch_add(1, memory_order_relaxed) % counter_shards + 1;
  return my_shard - 1;
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
