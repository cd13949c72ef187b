#include "schedule.hpp"

#include <deque>
#include <sstream>

namespace cluster_test {

namespace {

constexpr nanos calm_from = 20'000 * ms;
constexpr nanos must_end_by = calm_from + 120'000 * ms;

double some(dice& d, double most) {
  return d.chance(0.5) ? 0 : most * static_cast<double>(d.below(100) + 1) / 100;
}

faults any_faults(dice& d) {
  faults f;
  f.lost_request = some(d, 0.3);
  f.lost_reply = some(d, 0.3);
  f.late_request = some(d, 0.3);
  f.late_reply = some(d, 0.3);
  f.double_reply = some(d, 0.5);
  f.refused = some(d, 0.1);
  f.behind = some(d, 0.5);
  f.broken_watch = some(d, 0.5);
  f.until = calm_from;
  return f;
}

plan any_plan(dice& d, control broken) {
  plan p;
  p.updates = static_cast<int>(1 + d.below(4));
  p.ttl = d.between(1500 * ms, 4000 * ms);
  p.keeps = some(d, 0.8);
  p.gives_up = some(d, 0.4);
  p.dies = some(d, 0.1);
  p.paused = some(d, 0.2);
  p.clock_jumps = some(d, 0.2);
  p.until = calm_from;
  p.broken = broken;
  return p;
}

// Looks at each change of the value as it is made.
class auditor {
 public:
  auditor(server& s, history& h) : m_server{s}, m_history{h} {}
  void put(const std::string& key, const std::string& text) {
    if (key != m_names.value()) return;
    const auto next = record::parse(text);
    if (!next || next->last.empty()) return m_history.complain("a value that is no record");
    const revision by = static_cast<revision>(next->last.back().token);
    const auto oldest = m_server.oldest(m_names.queue());
    if (oldest.created != by) {
      m_history.complain("commit by " + std::to_string(by) + " while the oldest key is " +
                         std::to_string(oldest.created));
    }
    if (by < m_last) m_history.complain("not first come, first served");
    m_last = by;
    if (!next->bytes.starts_with(m_bytes) || next->count != m_count + 1)
      m_history.complain("an update was overwritten");
    m_bytes = next->bytes;
    m_count = next->count;
  }
  void at_the_end() {
    std::map<std::string, int> times;
    std::istringstream in{m_bytes};
    for (std::string e; std::getline(in, e, ',');) ++times[e];
    for (const auto& [e, fate] : m_history.elements) {
      const int n = times[e];
      if (n > 1) m_history.complain(e + " was applied twice");
      if (fate == history::fate::applied && n == 0)
        m_history.complain(e + " was acknowledged and is not there");
      if (fate == history::fate::pending) m_history.complain("nobody knows what became of " + e);
    }
  }

 private:
  server& m_server;
  history& m_history;
  const lock_names m_names{"lock"};
  revision m_last = 0;
  std::string m_bytes;
  std::uint64_t m_count = 0;
};

}  // namespace

verdict_of_schedule run_schedule(std::uint64_t seed, control broken) {
  dice d{seed};
  timeline time;
  server s;
  history h;
  auditor audit{s, h};
  s.before_put = [&](const std::string& key, const std::string& value) { audit.put(key, value); };
  simulated_store net{s, time, d, any_faults(d)};
  const plan p = any_plan(d, broken);
  std::deque<party> parties;
  const int many = static_cast<int>(2 + d.below(3));
  for (int i = 0; i < many; ++i) parties.emplace_back(i, p, s, net, time, d, h);

  const auto all_done = [&] {
    return std::all_of(parties.begin(), parties.end(), [](const party& x) { return x.done(); });
  };
  while (h.complaint.empty() && !all_done() && time.now() < must_end_by && time.step()) {}
  const nanos took = time.now();
  if (!all_done()) h.complain("it hangs");
  // What is on its way still arrives.
  for (party& x : parties) x.stop_renewing();
  while (h.complaint.empty() && time.step()) {}
  if (h.complaint.empty()) {
    audit.at_the_end();
    // Those that were killed have left keys, which end with their leases. Others must not.
    std::set<lease_id> alive;
    for (const party& x : parties) alive.insert(x.lease());
    s.end_leases_but(alive);
    const std::string left = s.oldest(lock_names{"lock"}.queue()).key;
    if (!left.empty() && h.complaint.empty()) h.complain("a key was left: " + left);
  }
  return {h.complaint, h, time.done(), took};
}

}  // namespace cluster_test
