#pragma once

#include <string>
#include <vector>

namespace app {

// Which etcd, and how it is reached: the flags that the cluster commands have in common.
struct cluster_place {
  std::vector<std::string> endpoints;  // none: a private one
  std::string ca, certificate, key;    // PEM files
  std::string user;                    // the password is in the environment: MORTISE_ETCD_PASSWORD
  std::string prefix = "mortise/";     // before all that is kept there

  bool is_private() const noexcept { return endpoints.empty(); }
};

// "a,b" as it was typed; what is wrong with them is told by check().
std::vector<std::string> endpoints_of(const std::string& list);

// Throws usage_error: flags that do not go together, endpoints that are none. Of what can only be known by trying nothing.
void check(const cluster_place& place);

}  // namespace app
