#include <mortise/insight/wait_graph.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <unordered_map>

#include <mortise/insight/places.hpp>
#include <mortise/lock/holder.hpp>
#include <mortise/lock/takers.hpp>
#include <mortise/task/live_tasks.hpp>

namespace mortise::inline MORTISE_ABI::insight {
namespace {

// A party that waits, or a shared_mutex that many wait for and many hold, so that not each of those has an edge to each of these.
struct node {
  const wait_record* wait = nullptr;  // null: a lock
  std::vector<node*> next;            // whom it waits for
  enum { unseen, on_path, done } state = unseen;
};

bool is(const wait_record& r, const char* kind) { return std::strcmp(r.subject.kind, kind) == 0; }
bool writes(const wait_record& r) { return is(r, "shared_mutex, to write"); }
bool reads(const wait_record& r) { return is(r, "shared_mutex, to read"); }

class graph {
 public:
  explicit graph(const std::vector<wait_record>& waits) {
    for (const wait_record& r : waits) {
      if (!r.subject.has_deadline) m_parties.try_emplace(r.who, node{&r, {}});
    }
    link_joins();
    link_mutexes();
    link_shared_mutexes();
  }

  std::vector<wait_cycle> cycles() {
    std::vector<wait_cycle> found;
    for (auto& [who, party] : m_parties) {
      if (party.state == node::unseen) follow(party, found);
    }
    return found;
  }

 private:
  struct shared_lock {
    node takers;  // all that are inside
    bool has_writer = false;
    node* first_to_write = nullptr;  // of those that wait
  };

  void add(node& from, const wait::parker* to) {
    if (const auto at = m_parties.find(to); at != m_parties.end()) from.next.push_back(&at->second);
  }

  void link_joins() {
    std::multimap<const void*, node*> joining;  // by scope
    for (auto& [who, party] : m_parties) {
      if (is(*party.wait, "task_scope")) joining.emplace(party.wait->subject.what, &party);
    }
    if (joining.empty()) return;
    for (const task_detail::live_task& t : task_detail::live_tasks()) {
      const auto [from, to] = joining.equal_range(t.scope);
      for (auto it = from; it != to; ++it) add(*it->second, t.parker);
    }
  }

  void link_mutexes() {
    for (auto& [who, party] : m_parties) {
      if (!is(*party.wait, "mutex")) continue;
      if (const auto holder = lock_detail::holder_of(party.wait->subject.what)) add(party, holder->who);
    }
  }

  // A writer waits for all that are inside. So does a reader if that is a writer; else for the writer that waited before it.
  void link_shared_mutexes() {
    for (auto& [who, party] : m_parties) {
      if (!writes(*party.wait) && !reads(*party.wait)) continue;
      node*& first = m_locks[party.wait->subject.what].first_to_write;
      if (writes(*party.wait) && (first == nullptr || party.wait->since < first->wait->since)) first = &party;
    }
    for (auto& [what, lock] : m_locks) {
      for (const lock_detail::taker& t : lock_detail::takers_of(what)) {
        lock.has_writer |= t.alone;
        add(lock.takers, t.who);
      }
    }
    for (auto& [who, party] : m_parties) {
      const auto at = m_locks.find(party.wait->subject.what);
      if (at == m_locks.end()) continue;
      shared_lock& lock = at->second;
      if (writes(*party.wait) || lock.has_writer) {
        party.next.push_back(&lock.takers);
      } else if (lock.first_to_write != nullptr && lock.first_to_write->wait->since < party.wait->since) {
        party.next.push_back(lock.first_to_write);
      }
    }
  }

  // Depth first; chains are as long as there are parties, so no recursion.
  static void follow(node& from, std::vector<wait_cycle>& found) {
    struct step {
      node* at;
      std::size_t next = 0;
    };
    std::vector<step> path{{&from}};
    from.state = node::on_path;
    while (!path.empty()) {
      step& s = path.back();
      if (s.next == s.at->next.size()) {
        s.at->state = node::done;
        path.pop_back();
        continue;
      }
      node* const next = s.at->next[s.next++];
      if (next->state == node::on_path) {
        wait_cycle c;
        auto at = std::find_if(path.begin(), path.end(), [&](const step& p) { return p.at == next; });
        for (; at != path.end(); ++at) {
          if (at->at->wait != nullptr) c.push_back(*at->at->wait);
        }
        found.push_back(std::move(c));
      } else if (next->state == node::unseen) {
        next->state = node::on_path;
        path.push_back({next});
      }
    }
  }

  std::unordered_map<const wait::parker*, node> m_parties;
  std::unordered_map<const void*, shared_lock> m_locks;
};

}  // namespace

std::vector<wait_cycle> cycles_of(const std::vector<wait_record>& waits) { return graph{waits}.cycles(); }

wait_ids waits_in(const wait_cycle& c) {
  wait_ids all;
  for (const wait_record& r : c) all.emplace(r.node, r.since);
  return all;
}

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
