#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <mortise/cluster/store.hpp>

namespace cluster_test {

using mortise::nanos;
using namespace mortise::cluster;

// What a consensus store does, in memory: revisions, leases, transactions that are one step. Time is an argument.
class server {
 public:
  transaction_reply apply(const transaction& t);
  // As a server that is some changes behind would answer. Requires: ranges alone.
  transaction_reply apply_behind(const transaction& t) const;
  void fall_behind() { m_behind = m_now; }  // what apply_behind answers from

  lease_reply grant(nanos ttl, nanos now);
  lease_reply keep_alive(lease_id lease, nanos now);
  void revoke(lease_id lease);
  void end_leases_until(nanos now);
  void end_leases_but(const std::set<lease_id>& those);
  bool has_lease(lease_id lease) const { return m_leases.contains(lease); }

  struct oldest_of_all {
    std::string key;
    revision created = 0;
  };
  oldest_of_all oldest(const std::string& prefix) const;
  std::size_t count(const std::string& prefix) const;
  const std::string* value(const std::string& key) const;
  revision created(const std::string& key) const;
  // The revision at which it was erased last, or 0.
  revision erased(const std::string& key) const;

  // Called before a key is put, and after one was erased.
  std::function<void(const std::string& key, const std::string& value)> before_put;
  std::function<void(const std::string& key, revision at)> after_erase;

 private:
  struct entry {
    std::string value;
    revision created = 0, changed = 0;
    lease_id lease = 0;
  };
  struct contents {
    std::map<std::string, entry> keys;
    revision at = 1;
  };
  struct lease_terms {
    nanos ttl;
    nanos ends;
  };

  static std::vector<key_value> find(const contents& in, const range& r);
  static bool holds(const contents& in, const compare& c);
  void erase_key(const std::string& key, revision at);

  contents m_now, m_behind;
  std::map<lease_id, lease_terms> m_leases;
  std::map<std::string, revision> m_erased;
  lease_id m_next_lease = 0x1000;
};

}  // namespace cluster_test
