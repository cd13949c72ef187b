#include <mortise/insight/wait_book.hpp>

#include <exception>
#include <functional>
#include <mutex>

#include <mortise/base/fork.hpp>
#include <mortise/lock/holder_table.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::insight {

// Never destroyed: locks are waited for until the very end of the process. Over forks as checked.cpp has it.
wait_book& wait_book::of_process() noexcept {
  static wait_book* const book = [] {
    static wait_book* made = new wait_book;
    at_fork(
        [] {
          made->m_guard.lock();
          made->m_first_guard.lock();
          for (shard& s : made->m_shards) s.guard.lock();
        },
        [] {
          for (shard& s : made->m_shards) s.guard.unlock();
          made->m_first_guard.unlock();
          made->m_guard.unlock();
        },
        [] {
          for (shard& s : made->m_shards) {
            s.records.clear();  // of parties that the child has not
            s.guard.unlock();
          }
          made->m_first_guard.unlock();
          made->m_guard.unlock();
        });
    return made;
  }();
  return *book;
}

namespace {
// As the program is loaded, when there is no thread yet to fork amid the first use of `book`.
[[maybe_unused]] const auto& made_at_load = wait_book::of_process();
}  // namespace

// When there is no thread yet to fork amid the first use.
[[maybe_unused]] static const wait_book& made_at_load = wait_book::of_process();

// Holders are kept before and after, not within: their lock is held over forks, too, and nobody knows in which order.
void wait_book::open(stacks s, holders h) noexcept {
  if (h == holders::kept) lock_detail::keep_holders();
  const std::lock_guard hold{m_guard};
  if (s == stacks::kept) m_stacks.fetch_add(1, memory_order_relaxed);
  if (m_readers++ != 0) return;
  wait::observe(*this);
  // What was told while the last one closed it may have ended untold.
  for (shard& each : m_shards) {
    const std::lock_guard inside{each.guard};
    each.records.clear();
  }
}

void wait_book::close(stacks s, holders h) noexcept {
  {
    const std::lock_guard hold{m_guard};
    if (s == stacks::kept) m_stacks.fetch_sub(1, memory_order_relaxed);
    if (--m_readers == 0) forget_all();
  }
  if (h == holders::kept) lock_detail::forget_holders();
}

void wait_book::forget_all() noexcept {
  wait::ignore(*this);
  for (shard& each : m_shards) {  // what ends from now on is not told any more
    const std::lock_guard inside{each.guard};
    each.records.clear();
  }
  const std::lock_guard places{m_first_guard};
  m_first.clear();
}

std::size_t wait_book::index_of(const wait::waiter& n) const noexcept {
  return std::hash<const void*>{}(&n) / 64 % m_shards.size();
}

void wait_book::waits(const wait::waiter& n, wait::subject what) noexcept {
  wait_record r;
  r.node = &n;
  r.who = n.who;
  r.kind = wait::kind_of(n);
  r.subject = what;
  r.since = now_ns();
  if (m_stacks.load(memory_order_relaxed) != 0) r.at = call_stack::here();
  shard& s = m_shards[index_of(n)];
  try {
    if (r.at.depth != 0) keep_first_place(r);
    const std::lock_guard hold{s.guard};
    s.records.insert_or_assign(&n, r);
  } catch (const std::exception&) {
    return;  // no memory: it is not seen
  }
}

void wait_book::keep_first_place(const wait_record& r) {
  const std::lock_guard hold{m_first_guard};
  if (m_first.size() == most_first_places || m_first.contains(r.subject.what)) return;
  m_first.emplace(r.subject.what, r.at);
}

std::optional<call_stack> wait_book::first_place(const void* what) const {
  const std::lock_guard hold{m_first_guard};
  const auto at = m_first.find(what);
  return at == m_first.end() ? std::nullopt : std::optional{at->second};
}

void wait_book::waits_no_more(const wait::waiter& n) noexcept {
  shard& s = m_shards[index_of(n)];
  const std::lock_guard hold{s.guard};
  s.records.erase(&n);
}

void wait_book::moves(const wait::waiter& n, wait::subject what) noexcept {
  shard& s = m_shards[index_of(n)];
  const std::lock_guard hold{s.guard};
  const auto at = s.records.find(&n);
  if (at == s.records.end()) return;
  at->second.subject = what;
  at->second.since = now_ns();
}

std::vector<wait_record> wait_book::all() const {
  std::vector<wait_record> found;
  for (const shard& s : m_shards) {
    const std::lock_guard hold{s.guard};
    for (const auto& [node, record] : s.records) {
      found.push_back(record);
      // Its wait is under way until we let go of the shard, and what it waits for is there.
      if (record.subject.tell != nullptr) record.subject.tell(record.subject.what, found.back().more);
    }
  }
  return found;
}

}  // namespace mortise::inline MORTISE_ABI::insight
