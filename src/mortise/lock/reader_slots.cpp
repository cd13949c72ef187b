#include <mortise/lock/reader_slots.hpp>

#include <bit>
#include <mutex>
#include <new>

#include <mortise/base/fork.hpp>

namespace mortise::inline MORTISE_ABI::lock_detail {

constinit process_global<slots_pool> all_slots;
MORTISE_PER_THREAD(std::uint32_t) reader_number{unknown_number};

std::uint32_t slots_pool::take() noexcept {
  hold_over_forks<all_slots>();
  const std::lock_guard hold{guard};
  if (m_free != nullptr) {
    reader_slots& s = *m_free;
    m_free = s.m_next_free;
    for (reader_slots::slot& one : s.m_slots)
      one.readers.store(0, memory_order_relaxed);  // published by the lock's word
    return s.m_index;
  }
  if (m_made + 1 == most) return 0;
  auto* const s = new (std::nothrow) reader_slots;
  if (s == nullptr) return 0;
  s->m_index = ++m_made;
  m_at[s->m_index].store(s, memory_order_release);  // for whoever finds the index in a lock's word
  return s->m_index;
}

void slots_pool::give_back(reader_slots& s) noexcept {
  s.m_drainer.store(nullptr, memory_order_relaxed);
  const std::lock_guard hold{guard};
  s.m_next_free = m_free;
  m_free = &s;
}

std::uint32_t slots_pool::number() noexcept {
  const std::lock_guard hold{guard};
  const auto n = static_cast<std::uint32_t>(std::countr_one(m_numbers));
  if (n >= reader_slots::own_slots) return 0;
  m_numbers |= std::uint64_t{1} << n;
  return n + 1;
}

void slots_pool::give_back_number(std::uint32_t n) noexcept {
  const std::lock_guard hold{guard};
  m_numbers &= ~(std::uint64_t{1} << (n - 1));
}

namespace {

// The thread's number is given back when it ends; what it locks shared after that is counted in the first slot.
struct owner {
  std::uint32_t number;
  ~owner() {
    reader_number = no_number;
    if (number != 0) all_slots->give_back_number(number);
  }
};

}  // namespace

[[gnu::noinline]] std::uint32_t ask_for_number() noexcept {
  hold_over_forks<all_slots>();
#if MORTISE_IS_MODEL
  const std::uint32_t n = all_slots->number();
#else
  thread_local const owner mine{all_slots->number()};
  const std::uint32_t n = mine.number;
#endif
  reader_number = n != 0 ? n : no_number;
  return n;
}

void reader_slots::tell_drainer() noexcept {
  m_order.fetch_add(1, memory_order_acq_rel);  // O4
  wait::parker* const writer = m_drainer.load(memory_order_acquire);
  if (writer != nullptr && sum() + m_base.load(memory_order_relaxed) == 0) writer->unpark();
}

}  // namespace mortise::inline MORTISE_ABI::lock_detail
