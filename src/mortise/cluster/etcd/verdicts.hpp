#pragma once

#include <string>
#include <string_view>

#include <mortise/base/abi.hpp>
#include <mortise/cluster/store.hpp>

// What a status says about the request that it answers (docs/decisions/etcd.md has the sources).
namespace mortise::inline MORTISE_ABI::cluster::etcd {

struct judgement {
  verdict how = verdict::unknown;
  bool surely_not_done = false;  // refused, or unknown only because it is to be tried again
  bool no_such_lease = false;
  bool needs_token = false;  // not done for want of a good one
  bool elsewhere = false;    // another endpoint may do it
  bool no_auth = false;      // the server has users switched off
};

// `code`: of gRPC (0 to 16); `text` as etcd or gRPC wrote it.
judgement judge(int code, std::string_view text) noexcept;

// What somebody else wrote, for people: without line breaks, and not longer than they read.
std::string one_line(std::string_view text);
std::string line_of(std::string_view endpoint, int code, std::string_view text);

}  // namespace mortise::inline MORTISE_ABI::cluster::etcd
