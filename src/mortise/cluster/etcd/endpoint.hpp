#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/cluster/etcd/store.hpp>

namespace mortise::inline MORTISE_ABI::cluster::etcd {

struct endpoint {
  std::string text;    // as it was given
  std::string target;  // as gRPC takes it
  bool is_tls = false;
};

// Throws std::invalid_argument: one line that says what is wrong and what is allowed.
endpoint parse_endpoint(std::string_view text);

// All of `o`, which they belong to, is looked at; files are not read.
std::vector<endpoint> checked_endpoints(const etcd_options& o);

}  // namespace mortise::inline MORTISE_ABI::cluster::etcd
