#include <mortise/cluster/lock_book.hpp>

#include <algorithm>
#include <mutex>

#include <mortise/cluster/front.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

void lock_book::enter(const front& f) {
  const std::lock_guard hold{m_guard};
  m_past[f.names().name()];  // now: strike() must not need memory
  m_live.push_back(&f);
}

void lock_book::strike(const front& f) noexcept {
  const std::lock_guard hold{m_guard};
  std::erase(m_live, &f);
  m_past.find(f.names().name())->second += f.counted();
}

std::map<std::string, numbers> lock_book::all() const {
  const std::lock_guard hold{m_guard};
  auto sums = m_past;
  for (const front* f : m_live) sums.find(f->names().name())->second += f->counted();
  return sums;
}

}  // namespace mortise::inline MORTISE_ABI::cluster
