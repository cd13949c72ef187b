#include <mortise/lock/lock_graph.hpp>

#if MORTISE_IS_CHECKED

#include <algorithm>

namespace mortise::inline MORTISE_ABI::lock_detail {
namespace {

bool contains(const std::vector<const void*>& locks, const void* lock) {
  return std::find(locks.begin(), locks.end(), lock) != locks.end();
}

}  // namespace

bool lock_graph::is_news(const step& s) const {
  const auto from = m_locks.find(s.before);
  if (const auto to = m_locks.find(s.after); to != m_locks.end() && to->second.waived) return false;
  if (from == m_locks.end()) return true;
  if (from->second.waived) return false;
  const auto at = from->second.after.find(s.after);
  if (at == from->second.after.end()) return true;
  const step& known = at->second;
  return (known.in_hold != 0 && s.in_hold == 0) ||
         std::any_of(known.alone.begin(), known.alone.end(),
                     [&](const void* lock) { return !contains(s.alone, lock); });
}

std::vector<step> lock_graph::add(step s) {
  if (!is_news(s)) return {};
  m_locks[s.after].before.insert(s.before);
  const auto [at, is_new] = m_locks[s.before].after.try_emplace(s.after, s);
  step& known = at->second;
  if (!is_new) {
    if (s.in_hold == 0) known.in_hold = 0;
    const auto kept = std::erase_if(known.alone, [&](const void* lock) { return !contains(s.alone, lock); });
    if (kept == 0 || known.reported) return {};
    s.alone = known.alone;
  }
  std::vector<step> found = cycle(s);
  if (!found.empty()) known.reported = true;
  return found;
}

// Depth first, with a stack of its own: the caller's may be a fiber's, and a list that is locked hand over hand makes a long path.
std::vector<step> lock_graph::cycle(const step& closing) const {
  struct visit {
    const node* at;
    std::unordered_map<const void*, step>::const_iterator next;
    bool refused = false;  // a way on was not open to this path: it may be to another
  };
  int budget = 100'000;  // where many locks keep parties apart there are too many paths to try them all
  const std::uint64_t number = ++m_searches;
  std::vector<const step*> path{&closing};
  std::vector<visit> visits;
  const auto enter = [&](const void* lock) {
    const node& n = m_locks.find(lock)->second;
    n.seen_by = number;
    visits.push_back({&n, n.after.begin()});
  };
  const auto meets = [&](const step& s) {
    return std::any_of(path.begin(), path.end(), [&](const step* other) {
      return std::any_of(s.alone.begin(), s.alone.end(),
                         [&](const void* lock) { return contains(other->alone, lock); });
    });
  };
  const node& first = m_locks.find(closing.after)->second;
  if (const auto back = first.after.find(closing.before); back != first.after.end() && !meets(back->second))
    return {closing, back->second};  // what is easiest to understand
  for (enter(closing.after); !visits.empty() && --budget >= 0;) {
    visit& v = visits.back();
    if (v.next == v.at->after.end()) {
      const bool refused = v.refused;
      if (refused) v.at->seen_by = 0;
      visits.pop_back();
      path.pop_back();
      if (!visits.empty()) visits.back().refused |= refused;
      continue;
    }
    const auto& [next, s] = *v.next++;
    const bool closes = next == closing.before;
    if (!closes && m_locks.find(next)->second.seen_by == number) continue;
    if (meets(s)) {
      v.refused = true;
      continue;
    }
    path.push_back(&s);
    if (closes) {
      std::vector<step> found;
      for (const step* one : path) found.push_back(*one);
      return found;
    }
    enter(next);
  }
  return {};
}

void lock_graph::clear(const void* lock, node& n) {
  for (const auto& [after, s] : n.after) m_locks.find(after)->second.before.erase(lock);
  for (const void* before : n.before) m_locks.find(before)->second.after.erase(lock);
  n.after.clear();
  n.before.clear();
}

void lock_graph::waive(const void* lock) {
  node& n = m_locks[lock];
  clear(lock, n);
  n.waived = true;
}

void lock_graph::forget(const void* lock) {
  const auto at = m_locks.find(lock);
  if (at == m_locks.end()) return;
  clear(lock, at->second);
  m_locks.erase(at);
}

void lock_graph::forget_steps(const void* before, std::uint64_t in_hold) {
  const auto at = m_locks.find(before);
  if (at == m_locks.end()) return;
  std::erase_if(at->second.after, [&](const auto& one) {
    if (one.second.in_hold != in_hold) return false;
    m_locks.find(one.first)->second.before.erase(before);
    return true;
  });
}

}  // namespace mortise::inline MORTISE_ABI::lock_detail

#endif
