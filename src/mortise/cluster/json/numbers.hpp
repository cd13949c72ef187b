#pragma once

// The numbers of cluster/numbers.hpp as JSON: nlohmann::ordered_json{here.counted()}. Link nlohmann_json::nlohmann_json.

#include <mortise/base/abi.hpp>
#include <mortise/cluster/numbers.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

template <class Json>
void to_json(Json& j, const durations& d) {
  j = Json{{"count", d.count()},
           {"sum", d.sum_ns()},
           {"p50", d.percentile(0.5)},
           {"p99", d.percentile(0.99)},
           {"max", d.longest_ns()}};
}

template <class Json>
void to_json(Json& j, const numbers& n) {
  j = Json{{"acquisitions", n.acquisitions},
           {"local_handovers", n.local_handovers},
           {"remote_handovers", n.remote_handovers},
           {"tenures", n.tenures},
           {"given_up", n.given_up},
           {"lost", n.lost},
           {"refused", n.refused},
           {"commits", n.commits},
           {"updates", n.updates},
           {"updates_lost", n.updates_lost},
           {"updates_unknown", n.updates_unknown},
           {"updates_again", n.updates_again},
           {"unknown", n.unknown},
           {"resolved_applied", n.resolved_applied},
           {"resolved_not_applied", n.resolved_not_applied},
           {"unresolved", n.unresolved}};
  j["wait_ns"] = n.wait;
  j["hold_ns"] = n.hold;
  j["kept_ns"] = n.kept;
}

template <class Json>
void to_json(Json& j, const lease_numbers& n) {
  j = Json{{"leases", n.leases},     {"gone", n.gone},  {"renewals", n.renewals},
           {"failures", n.failures}, {"age_ns", n.age}, {"good_for_ns", n.good_for}};
}

template <class Json>
void to_json(Json& j, const session_numbers& n) {
  j = Json::object();
  j["lease"] = n.lease;
  j["locks"] = n.locks;
}

}  // namespace mortise::inline MORTISE_ABI::cluster
