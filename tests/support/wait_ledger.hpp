#pragma once

// Who looks on and keeps count: each wait is told of once, and so is its end.

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <mortise/wait/observer.hpp>

namespace mortise::test {

class wait_ledger final : public wait::observer {
 public:
  // Told until the next one is made: what is told late must find somebody.
  static wait_ledger& begin() {
    static auto& all = *new std::vector<wait_ledger*>;
    if (!all.empty()) wait::ignore(*all.back());
    all.push_back(new wait_ledger);
    wait::observe(*all.back());
    return *all.back();
  }

  std::vector<wait::subject> waiting() const {
    const std::lock_guard hold{m_guard};
    std::vector<wait::subject> found;
    for (const auto& [n, s] : m_waiting) found.push_back(s);
    return found;
  }
  bool waits_for(const std::string& kind) const {
    const auto all = waiting();
    return all.size() == 1 && all[0].kind == kind;
  }
  int begun() const {
    const std::lock_guard hold{m_guard};
    return m_begun;
  }
  // What was told of a wait that was under way already, or was not.
  int wrong() const {
    const std::lock_guard hold{m_guard};
    return m_wrong;
  }

 private:
  void waits(const wait::waiter& n, wait::subject s) noexcept override {
    const std::lock_guard hold{m_guard};
    ++m_begun;
    if (!m_waiting.insert_or_assign(&n, s).second) ++m_wrong;
  }
  void waits_no_more(const wait::waiter& n) noexcept override {
    const std::lock_guard hold{m_guard};
    if (m_waiting.erase(&n) == 0) ++m_wrong;
  }
  void moves(const wait::waiter& n, wait::subject s) noexcept override {
    const std::lock_guard hold{m_guard};
    if (m_waiting.insert_or_assign(&n, s).second) ++m_wrong;
  }

  mutable std::mutex m_guard;
  std::map<const wait::waiter*, wait::subject> m_waiting;
  int m_begun = 0;
  int m_wrong = 0;
};

}  // namespace mortise::test
