#include <mortise/insight/wait_graph.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <unordered_map>

#include <mortise/insight/places.hpp>
#include <mortise/lock/holder.hpp>
#include <mortise/task/live_tasks.hpp>

namespace mortise::inline MORTISE_ABI::insight {
namespace {

class graph {
 public:
  explicit graph(const std::vector<wait_record>& waits) {
    for (const wait_record& r : waits) {
      if (!r.subject.has_deadline) m_waits.emplace(r.who, &r);
    }
    link();
  }

  std::vector<wait_cycle> cycles() {
    std::vector<wait_cycle> found;
    for (const auto& [who, record] : m_waits) {
      std::vector<const wait_record*> path;
      follow(*record, path, found);
    }
    return found;
  }

 private:
  // Whom each waits for, of those who wait themselves.
  void link() {
    std::multimap<const void*, const wait_record*> tasks_of;  // by scope; made when somebody joins
    const bool anybody_joins = std::any_of(m_waits.begin(), m_waits.end(), [](const auto& w) {
      return std::strcmp(w.second->subject.kind, "task_scope") == 0;
    });
    if (anybody_joins) {
      for (const task_detail::live_task& t : task_detail::live_tasks()) {
        if (const auto at = m_waits.find(t.parker); at != m_waits.end())
          tasks_of.emplace(t.scope, at->second);
      }
    }
    for (const auto& [who, record] : m_waits) {
      if (std::strcmp(record->subject.kind, "task_scope") == 0) {
        const auto [from, to] = tasks_of.equal_range(record->subject.what);
        for (auto it = from; it != to; ++it) m_next[record].push_back(it->second);
      } else if (std::strcmp(record->subject.kind, "mutex") == 0) {
        const auto holder = lock_detail::holder_of(record->subject.what);
        if (!holder || holder->who == nullptr) continue;
        if (const auto at = m_waits.find(holder->who); at != m_waits.end())
          m_next[record].push_back(at->second);
      }
    }
  }

  // Depth first; chains are as long as there are parties, so no recursion.
  void follow(const wait_record& from, std::vector<const wait_record*>& path,
              std::vector<wait_cycle>& found) {
    struct step {
      const wait_record* at;
      std::size_t next = 0;
    };
    if (m_done.contains(&from)) return;
    std::vector<step> steps{{&from}};
    std::set<const wait_record*> on_path{&from};
    path.assign({&from});
    while (!steps.empty()) {
      step& s = steps.back();
      const auto& nexts = m_next[s.at];
      if (s.next == nexts.size()) {
        m_done.insert(s.at);
        on_path.erase(s.at);
        path.pop_back();
        steps.pop_back();
        continue;
      }
      const wait_record* const next = nexts[s.next++];
      if (on_path.contains(next)) {
        wait_cycle c;
        for (auto it = std::find(path.begin(), path.end(), next); it != path.end(); ++it) c.push_back(**it);
        found.push_back(std::move(c));
      } else if (!m_done.contains(next)) {
        steps.push_back({next});
        on_path.insert(next);
        path.push_back(next);
      }
    }
  }

  std::unordered_map<const wait::parker*, const wait_record*> m_waits;
  std::unordered_map<const wait_record*, std::vector<const wait_record*>> m_next;
  std::set<const wait_record*> m_done;
};

std::set<std::pair<const wait::waiter*, nanos>> waits_in(const wait_cycle& c) {
  std::set<std::pair<const wait::waiter*, nanos>> all;
  for (const wait_record& r : c) all.emplace(r.node, r.since);
  return all;
}

}  // namespace

std::vector<wait_cycle> cycles_of(const std::vector<wait_record>& waits) { return graph{waits}.cycles(); }

bool same(const wait_cycle& a, const wait_cycle& b) { return waits_in(a) == waits_in(b); }

std::string report_of(const wait_cycle& cycle, nanos now) {
  std::string text = "mortise: deadlock: " +
                     (cycle.size() == 1 ? std::string{"a party waits for itself"}
                                        : std::to_string(cycle.size()) + " parties wait for each other") +
                     "\n";
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    const wait_record& r = cycle[i];
    const wait_record& next = cycle[(i + 1) % cycle.size()];
    const bool joins = std::strcmp(r.subject.kind, "task_scope") == 0;
    char age[32];
    std::snprintf(age, sizeof age, "%.1f s", static_cast<double>(now - r.since) / 1e9);
    text.append("  ").append(task_detail::text_of(*r.who, r.kind));
    text.append(joins ? " joins a " : " waits for ").append(r.subject.kind);
    if (!joins) text.append(" ").append(lock_text(r.subject.what));
    text.append(", since ").append(age).append(joins ? ", in which there is " : ", held by ");
    text.append(task_detail::text_of(*next.who, next.kind)).append("\n");
    for (const std::string& place : places_of(r.at)) text += "      " + place + "\n";
  }
  return text;
}

}  // namespace mortise::inline MORTISE_ABI::insight
