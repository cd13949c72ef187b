#include <mortise/task/timers.hpp>

#include <algorithm>
#include <bit>
#include <new>

namespace mortise::inline MORTISE_ABI::task_detail {

timers::~timers() {
  for (slot& s : m_wheel) {
    while (block* b = s.first) {
      s.first = b->next;
      delete b;
    }
  }
  while (block* b = m_free) {
    m_free = b->next;
    delete b;
  }
}

bool timers::add(nanos deadline, task_block& t) noexcept {
  // relaxed: the round is written by the task's own worker only, which is this one
  const std::uint64_t round = t.timer_round.load(memory_order_relaxed);
  return put({deadline, reinterpret_cast<std::uint64_t>(&t) | round << 48});
}

bool timers::add_sleeper(nanos deadline, task_block& t) noexcept {
  return put({deadline, reinterpret_cast<std::uint64_t>(&t) | std::uint64_t{sleeper} << 48});
}

bool timers::put(const due& d) noexcept {
  const nanos deadline = d.at;
  const std::int64_t number = slot_number(deadline);
  const owner_guard hold{m_lock};
  try {
    if (number <= m_present) {
      m_soon.push_back(d);
      std::push_heap(m_soon.begin(), m_soon.end(), later{});
    } else if (number - m_present < slots) {
      if (!put_into_slot(d)) return false;
    } else {
      if (m_void.load(memory_order_relaxed) > m_far.size() / 2 + 1024) sweep();
      m_far.push_back(d);
      std::push_heap(m_far.begin(), m_far.end(), later{});
    }
  } catch (const std::bad_alloc&) {
    return false;
  }
  m_next_due.store(std::min(next_due(), deadline), memory_order_relaxed);
  return true;
}

nanos timers::next() const noexcept {
  const owner_guard hold{m_lock};
  return earliest();
}

nanos timers::earliest() const noexcept {
  nanos found = never;
  if (!m_soon.empty()) found = m_soon.front().at;
  if (!m_far.empty()) found = std::min(found, m_far.front().at);
  const std::int64_t number = next_filled(m_present + 1, m_present + slots - 1);
  if (number != none) found = std::min(found, m_wheel[static_cast<std::uint64_t>(number) % slots].earliest);
  return found;
}

// One deadline that is not after `now`, in about their order: exact within the present slot, by slot before
// it.
const timers::due* timers::pop(nanos now) noexcept {
  for (;;) {
    const nanos soon = m_soon.empty() ? never : m_soon.front().at;
    const nanos far = m_far.empty() ? never : m_far.front().at;
    if (soon <= now && soon <= far) return take_from(m_soon);
    if (far <= now) return take_from(m_far);
    const std::int64_t present = slot_number(now);
    const std::int64_t number = next_filled(m_present + 1, std::min(present, m_present + slots - 1));
    if (number == none) {
      m_present = std::max(m_present, present);
      m_next_due.store(earliest(), memory_order_relaxed);
      return nullptr;
    }
    if (number < present) return take_from_slot(number);  // all of it is due: no need to order it
    if (!open_slot(number)) return nullptr;               // no memory: comes back at the next look
  }
}

const timers::due* timers::take_from(std::vector<due>& heap) noexcept {
  m_popped = heap.front();
  std::pop_heap(heap.begin(), heap.end(), later{});
  heap.pop_back();
  return &m_popped;
}

const timers::due* timers::take_from_slot(std::int64_t number) noexcept {
  slot& s = slot_of(number);
  block* const b = s.first;
  m_popped = b->entries[b->taken++];
  // The task blocks lie all over memory; whoever fires them touches each.
  if (b->taken + prefetched < b->used) __builtin_prefetch(b->entries[b->taken + prefetched].task(), 1);
  if (b->taken == b->used) {
    s.first = b->next;
    b->next = m_free;
    m_free = b;
    if (s.first == nullptr) {
      s = {};
      set_filled(number, false);
      m_present = number;
    }
  }
  return &m_popped;
}

bool timers::put_into_slot(const due& d) noexcept {
  const std::int64_t number = slot_number(d.at);
  slot& s = slot_of(number);
  if (s.last == nullptr || s.last->used == block::capacity) {
    block* b = m_free;
    if (b != nullptr) {
      m_free = b->next;
      b->next = nullptr;
      b->used = b->taken = 0;
    } else if (b = new (std::nothrow) block; b == nullptr) {
      return false;
    }
    (s.last == nullptr ? s.first : s.last->next) = b;
    s.last = b;
    set_filled(number, true);
  }
  s.last->entries[s.last->used++] = d;
  s.earliest = std::min(s.earliest, d.at);
  return true;
}

// The slot of the present: its deadlines become a heap.
bool timers::open_slot(std::int64_t number) noexcept {
  slot& s = slot_of(number);
  try {
    std::size_t n = m_soon.size();
    for (const block* b = s.first; b != nullptr; b = b->next) n += b->used - b->taken;
    if (n > m_soon.capacity()) m_soon.reserve(2 * n);
  } catch (const std::bad_alloc&) {
    return false;
  }
  while (block* b = s.first) {
    for (unsigned i = b->taken; i < b->used; ++i) {
      m_soon.push_back(b->entries[i]);
      std::push_heap(m_soon.begin(), m_soon.end(), later{});
    }
    s.first = b->next;
    b->next = m_free;
    m_free = b;
  }
  s = {};
  set_filled(number, false);
  m_present = number;
  return true;
}

std::int64_t timers::next_filled(std::int64_t from, std::int64_t to) const noexcept {
  while (from <= to) {
    const auto i = static_cast<std::uint64_t>(from) % slots;
    const std::uint64_t rest = m_filled[i / 64] >> (i % 64);
    if (rest != 0) {
      const std::int64_t found = from + std::countr_zero(rest);
      return found <= to ? found : none;
    }
    from += static_cast<std::int64_t>(64 - i % 64);
  }
  return none;
}

void timers::set_filled(std::int64_t number, bool filled) noexcept {
  const auto i = static_cast<std::uint64_t>(number) % slots;
  const std::uint64_t bit = std::uint64_t{1} << (i % 64);
  if (filled) {
    m_filled[i / 64] |= bit;
  } else {
    m_filled[i / 64] &= ~bit;
  }
}

// Drops the void deadlines among the far ones. Amortised O(1): half of them, and a thousand more, have been
// voided.
void timers::sweep() noexcept {
  std::erase_if(m_far, [](const due& d) {
    // relaxed: a stale answer keeps one too many
    return d.round() != sleeper && d.task()->timer_round.load(memory_order_relaxed) != d.round();
  });
  std::make_heap(m_far.begin(), m_far.end(), later{});
  m_void.store(0, memory_order_relaxed);
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
