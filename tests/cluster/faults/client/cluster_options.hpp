#pragma once

// The same for both arms that use the library.

#include <mortise/cluster/etcd/store.hpp>
#include <mortise/cluster/session.hpp>

#include "arm.hpp"

namespace faults {

inline mortise::cluster::etcd_options store_options(const settings& s, const char* prefix) {
  mortise::cluster::etcd_options o;
  o.endpoints = s.endpoints;
  o.prefix = prefix;
  o.answer_within = std::chrono::seconds{1};
  return o;
}

inline mortise::cluster::session_options session_options(const settings& s) {
  mortise::cluster::session_options o;
  o.lease_ttl = s.lease_ttl;
  o.answer_within = std::chrono::seconds{1};
  return o;
}

}  // namespace faults
