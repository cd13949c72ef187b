#include <mortise/cluster/lease_keeper.hpp>

#include <algorithm>

namespace mortise::inline MORTISE_ABI::cluster {

lease_keeper::what_next lease_keeper::at(nanos now) {
  if (now < m_next) return {};
  if (m_lease == 0) {
    m_sent.assign(1, {++m_number, now});
    m_next = never;
    return {order::grant, m_number, 0};
  }
  // An answer that has not come in a third of its time may still come, but another is asked for meanwhile.
  if (m_sent.size() == 4) m_sent.erase(m_sent.begin());
  m_sent.push_back({++m_number, now});
  m_next = now + m_ttl / 3;
  return {order::keep_alive, m_number, m_lease};
}

nanos lease_keeper::wakes_at() const noexcept { return m_next; }

bool lease_keeper::take(std::uint64_t number, nanos& sent_at) {
  const auto it =
      std::find_if(m_sent.begin(), m_sent.end(), [&](const sent& s) { return s.number == number; });
  if (it == m_sent.end()) return false;
  sent_at = it->at;
  m_sent.erase(it);
  return true;
}

void lease_keeper::granted(std::uint64_t number, const lease_reply& r, nanos now) {
  nanos sent_at = 0;
  if (m_lease != 0 || !take(number, sent_at)) return;
  if (r.how != verdict::ok || r.lease == 0 || r.ttl <= 0) {
    // One that was granted all the same ends by itself.
    m_trouble = r.text;
    m_next = now + m_terms.pause;
    ++m_numbers.failures;
    return;
  }
  m_trouble.clear();
  ++m_numbers.leases;
  m_confirmed = sent_at;
  m_lease = r.lease;
  m_ttl = r.ttl;
  m_good_until = sent_at + r.ttl - m_terms.margin;
  m_next = sent_at + r.ttl / 3;
}

void lease_keeper::kept(std::uint64_t number, const lease_reply& r, nanos now) {
  nanos sent_at = 0;
  if (m_lease == 0 || !take(number, sent_at)) return;
  if (r.no_such_lease || (r.how == verdict::ok && r.ttl <= 0)) return gone(m_lease, now);
  if (r.how != verdict::ok) {
    m_trouble = r.text;
    m_next = std::min(m_next, now + m_terms.pause);
    ++m_numbers.failures;
    return;
  }
  m_trouble.clear();
  ++m_numbers.renewals;
  m_confirmed = std::max(m_confirmed, sent_at);
  m_ttl = r.ttl;
  m_good_until = std::max(m_good_until, sent_at + r.ttl - m_terms.margin);
}

void lease_keeper::gone(lease_id lease, nanos now) {
  if (lease == 0 || lease != m_lease) return;
  ++m_numbers.gone;
  m_lease = 0;
  m_good_until = 0;
  m_sent.clear();
  m_next = now;
}

lease_numbers lease_keeper::counted(nanos now) const noexcept {
  lease_numbers n = m_numbers;
  if (m_lease == 0) return n;
  n.age = now - m_confirmed;
  n.good_for = std::max<nanos>(0, m_good_until - now);
  return n;
}

void lease_keeper::doubted(lease_id lease, nanos now) {
  if (lease != 0 && lease == m_lease) m_next = std::min(m_next, now);
}

}  // namespace mortise::inline MORTISE_ABI::cluster
