#include "server.hpp"

#include <algorithm>

namespace cluster_test {

std::vector<key_value> server::find(const contents& in, const range& r) {
  std::vector<key_value> found;
  if (!r.prefix) {
    if (const auto it = in.keys.find(r.key); it != in.keys.end())
      found.push_back({it->first, it->second.value, it->second.created, it->second.changed});
    return found;
  }
  for (auto it = in.keys.lower_bound(r.key); it != in.keys.end() && it->first.starts_with(r.key); ++it) {
    if (r.created_until == 0 || it->second.created <= r.created_until)
      found.push_back({it->first, it->second.value, it->second.created, it->second.changed});
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.created > b.created; });
  if (found.size() > static_cast<std::size_t>(r.most)) found.resize(static_cast<std::size_t>(r.most));
  return found;
}

bool server::holds(const contents& in, const compare& c) {
  const auto it = in.keys.find(c.key);
  if (it == in.keys.end()) return c.is == 0;
  return (c.what == compare::which::created ? it->second.created : it->second.changed) == c.is;
}

transaction_reply server::apply(const transaction& t) {
  transaction_reply r;
  r.how = verdict::ok;
  r.succeeded =
      std::all_of(t.if_all.begin(), t.if_all.end(), [&](const compare& c) { return holds(m_now, c); });
  const auto& list = r.succeeded ? t.then : t.otherwise;
  for (const operation& o : list) {
    const put* p = std::get_if<put>(&o);
    if (p != nullptr && p->lease != 0 && !has_lease(p->lease)) {
      r.how = verdict::refused;
      r.no_such_lease = true;
      r.text = "requested lease not found";
      return r;
    }
  }
  const revision next = m_now.at + 1;
  bool changed = false;
  for (const operation& o : list) {
    if (const put* p = std::get_if<put>(&o)) {
      if (before_put) before_put(p->key, p->value);
      entry& e = m_now.keys[p->key];
      if (e.created == 0) e.created = next;
      e.changed = next;
      e.value = p->value;
      e.lease = p->lease;
      changed = true;
    } else if (const cluster_test::erase* gone = std::get_if<cluster_test::erase>(&o)) {
      if (m_now.keys.contains(gone->key)) {
        erase_key(gone->key, next);
        changed = true;
      }
    } else {
      r.found.push_back(find(m_now, std::get<range>(o)));
    }
  }
  if (changed) m_now.at = next;
  r.at = m_now.at;
  return r;
}

transaction_reply server::apply_behind(const transaction& t) const {
  transaction_reply r;
  r.how = verdict::ok;
  r.succeeded = true;
  r.at = m_behind.at;
  for (const operation& o : t.then) r.found.push_back(find(m_behind, std::get<range>(o)));
  return r;
}

lease_reply server::grant(nanos ttl, nanos now) {
  lease_reply r;
  r.how = verdict::ok;
  r.lease = ++m_next_lease;
  r.ttl = ttl;
  m_leases[r.lease] = {ttl, now + ttl};
  return r;
}

lease_reply server::keep_alive(lease_id lease, nanos now) {
  lease_reply r;
  r.how = verdict::ok;
  r.lease = lease;
  if (const auto it = m_leases.find(lease); it != m_leases.end()) {
    it->second.ends = now + it->second.ttl;
    r.ttl = it->second.ttl;
  }
  return r;
}

void server::revoke(lease_id lease) {
  if (m_leases.erase(lease) == 0) return;
  std::vector<std::string> keys;
  for (const auto& [key, e] : m_now.keys) {
    if (e.lease == lease) keys.push_back(key);
  }
  if (keys.empty()) return;
  const revision next = ++m_now.at;
  for (const std::string& key : keys) erase_key(key, next);
}

void server::end_leases_until(nanos now) {
  std::vector<lease_id> over;
  for (const auto& [lease, terms] : m_leases) {
    if (terms.ends <= now) over.push_back(lease);
  }
  for (const lease_id lease : over) revoke(lease);
}

void server::end_leases_but(const std::set<lease_id>& those) {
  std::vector<lease_id> over;
  for (const auto& [lease, terms] : m_leases) {
    if (!those.contains(lease)) over.push_back(lease);
  }
  for (const lease_id lease : over) revoke(lease);
}

void server::erase_key(const std::string& key, revision at) {
  m_now.keys.erase(key);
  m_erased[key] = at;
  if (after_erase) after_erase(key, at);
}

server::oldest_of_all server::oldest(const std::string& prefix) const {
  oldest_of_all o;
  for (auto it = m_now.keys.lower_bound(prefix); it != m_now.keys.end() && it->first.starts_with(prefix);
       ++it) {
    if (o.created == 0 || it->second.created < o.created) o = {it->first, it->second.created};
  }
  return o;
}

std::size_t server::count(const std::string& prefix) const {
  std::size_t n = 0;
  for (auto it = m_now.keys.lower_bound(prefix); it != m_now.keys.end() && it->first.starts_with(prefix);
       ++it)
    ++n;
  return n;
}

const std::string* server::value(const std::string& key) const {
  const auto it = m_now.keys.find(key);
  return it == m_now.keys.end() ? nullptr : &it->second.value;
}

revision server::created(const std::string& key) const {
  const auto it = m_now.keys.find(key);
  return it == m_now.keys.end() ? 0 : it->second.created;
}

revision server::erased(const std::string& key) const {
  const auto it = m_erased.find(key);
  return it == m_erased.end() ? 0 : it->second;
}

}  // namespace cluster_test
