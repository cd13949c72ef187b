#include <mortise/lock/reader_slots.hpp>

#include <mutex>
#include <new>

#include <mortise/base/fork.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/per_thread.hpp>
#include <mortise/base/process_global.hpp>

namespace mortise::inline MORTISE_ABI::lock_detail {
namespace {

constexpr std::uint32_t most = MORTISE_IS_MODEL ? 4 : 4096;  // what 12 bits tell apart

struct all_slots {
  os_mutex guard;
  std::array<atomic<reader_slots*>, most> at{};
  reader_slots* free = nullptr;
  std::uint32_t made = 0;
  atomic<std::size_t> threads{0};
};
constinit process_global<all_slots> all;

MORTISE_PER_THREAD(std::size_t) my_slot{0};  // 0: none yet, else 1 more

}  // namespace

reader_slots::slot& reader_slots::mine() noexcept {
  // The answer changes when the caller changes threads: keeps calls from being merged.
  asm volatile("" ::: "memory");
  if (my_slot == 0) my_slot = all->threads.fetch_add(1, memory_order_relaxed) % count + 1;
  return of_thread[my_slot - 1];
}

std::uint32_t take_slots() noexcept {
  hold_over_forks<all>();
  const std::lock_guard hold{all->guard};
  if (reader_slots* const s = all->free; s != nullptr) {
    all->free = s->next_free;
    for (reader_slots::slot& one : s->of_thread) one.readers.store(0, memory_order_relaxed);  // ordered by the lock's word
    return s->index;
  }
  if (all->made + 1 == most) return 0;
  auto* const s = new (std::nothrow) reader_slots;
  if (s == nullptr) return 0;
  s->index = ++all->made;
  all->at[s->index].store(s, memory_order_release);  // read after the index was seen in a lock's word, which orders it too
  return s->index;
}

void give_back_slots(std::uint32_t index) noexcept {
  reader_slots& s = slots_at(index);
  s.drainer.store(nullptr, memory_order_relaxed);
  const std::lock_guard hold{all->guard};
  s.next_free = all->free;
  all->free = &s;
}

reader_slots& slots_at(std::uint32_t index) noexcept { return *all->at[index].load(memory_order_acquire); }

}  // namespace mortise::inline MORTISE_ABI::lock_detail
