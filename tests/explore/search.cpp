#include <explore/search.hpp>

#include <algorithm>
#include <stdexcept>

namespace explore {

exhaustive::exhaustive(budget bound) : m_bound{bound}, m_table(std::size_t{1} << 16) {
  if (bound.preemptions >= most || bound.deviations >= most)
    throw std::invalid_argument("a search within a bound of more than 7 would take one budget for another");
}

void exhaustive::begin() {
  taken.clear();
  left = m_bound;
}

unsigned exhaustive::choose(const alternatives& a) {
  const std::size_t at = taken.size();
  if (at == m_path.size()) m_path.push_back({a, 0, left});
  const step& s = m_path[at];
  if (s.offered.count != a.count)
    throw std::logic_error("the scenario is not deterministic: a choice is not what it was before");
  taken.push_back(s.chosen);
  left.spend(s.offered.costs[s.chosen]);
  return s.chosen;
}

bool exhaustive::next() {
  while (!m_path.empty()) {
    step& s = m_path.back();
    for (unsigned i = s.chosen + 1u; i < s.offered.count; ++i) {
      if (!s.before.allows(s.offered.costs[i])) continue;
      s.chosen = static_cast<unsigned char>(i);
      return true;
    }
    m_path.pop_back();
  }
  return false;
}

exhaustive::entry& exhaustive::slot_for(std::uint64_t state) {
  std::size_t at = state & (m_table.size() - 1);
  while (m_table[at].explored != 0 && m_table[at].state != state) at = (at + 1) & (m_table.size() - 1);
  return m_table[at];
}

// Two states with one hash would be taken for one: at 10^7 states the odds are 3 in a million.
bool exhaustive::seen(std::uint64_t state) {
  const int p = left.preemptions, d = left.deviations;
  entry& e = slot_for(state);
  for (int i = p; i < most; ++i) {
    for (int k = d; k < most; ++k) {
      if ((e.explored >> (i * most + k) & 1) != 0) return true;
    }
  }
  if (e.explored == 0) ++m_states;
  e.state = state;
  e.explored |= std::uint64_t{1} << (p * most + d);
  if (m_states * 2 > m_table.size()) {
    std::vector<entry> old(m_table.size() * 2);
    old.swap(m_table);
    for (const entry& o : old) {
      if (o.explored != 0) slot_for(o.state) = o;
    }
  }
  return false;
}

void random_priorities::begin() {
  taken.clear();
  left = unlimited;
  m_step = 0;
  m_random.seed(m_seed * 1'000'003 + m_run);
  m_priorities.clear();
  m_lowest = 1'000;
  m_changes.clear();
  for (unsigned i = 1; i < m_depth; ++i) m_changes.push_back(m_random() % m_longest);
}

unsigned random_priorities::choose(const alternatives& a) {
  const bool rare = m_random() % 16 == 0;
  const auto i = static_cast<unsigned>(rare ? m_random() % a.count : 0);
  taken.push_back(static_cast<unsigned char>(i));
  left.spend(a.costs[i]);
  return i;
}

unsigned random_priorities::choose_thread(const alternatives& a, const unsigned* ids) {
  const auto priority = [this](unsigned id) -> std::uint64_t& {
    while (m_priorities.size() <= id) m_priorities.push_back(1'000 + m_random() % 1'000'000);
    return m_priorities[id];
  };
  if (std::find(m_changes.begin(), m_changes.end(), m_step++) != m_changes.end())
    priority(ids[0]) = --m_lowest;
  unsigned best = 0;
  for (unsigned i = 1; i < a.count; ++i) {
    // an early time-out is for the rare case
    if (a.costs[i] == cost::deviation && m_random() % 16 != 0) continue;
    if (priority(ids[i]) > priority(ids[best])) best = i;
  }
  taken.push_back(static_cast<unsigned char>(best));
  left.spend(a.costs[best]);
  return best;
}

void random_priorities::yielded(unsigned thread) {
  if (thread < m_priorities.size()) m_priorities[thread] = --m_lowest;
}

bool random_priorities::next() {
  m_longest = std::max(m_longest, m_step);
  return ++m_run < m_runs;
}

replayed::replayed(const std::string& schedule) {
  const std::size_t comma = schedule.find(','), colon = schedule.find(':');
  if (comma == std::string::npos || colon == std::string::npos || comma > colon)
    throw std::invalid_argument("a schedule begins with its bound, as in 2,1:0x12.1");
  m_bound = {std::stoi(schedule), std::stoi(schedule.substr(comma + 1))};
  for (std::size_t at = colon + 1; at < schedule.size();) {
    std::size_t end = schedule.find('.', at);
    if (end == std::string::npos) end = schedule.size();
    const std::string part = schedule.substr(at, end - at);
    const std::size_t x = part.find('x');
    const unsigned long times = x == std::string::npos ? 1 : std::stoul(part.substr(x + 1));
    m_schedule.insert(m_schedule.end(), times, static_cast<unsigned char>(std::stoul(part.substr(0, x))));
    at = end + 1;
  }
}

unsigned replayed::choose(const alternatives& a) {
  const unsigned i = taken.size() < m_schedule.size() ? m_schedule[taken.size()] : 0;
  if (i >= a.count) throw std::logic_error("this schedule is of another scenario or another build");
  taken.push_back(static_cast<unsigned char>(i));
  left.spend(a.costs[i]);
  return i;
}

std::string written(budget bound, const std::vector<unsigned char>& schedule) {
  std::string text;
  std::size_t end = schedule.size();
  while (end != 0 && schedule[end - 1] == 0) --end;  // what is left out is the first alternative
  for (std::size_t i = 0; i < end;) {
    std::size_t n = i;
    while (n < end && schedule[n] == schedule[i]) ++n;
    if (!text.empty()) text += '.';
    text += std::to_string(schedule[i]);
    if (n - i > 1) text += 'x' + std::to_string(n - i);
    i = n;
  }
  return std::to_string(bound.preemptions) + ',' + std::to_string(bound.deviations) + ':' +
         (text.empty() ? "0" : text);
}

}  // namespace explore
