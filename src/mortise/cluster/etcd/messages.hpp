#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <mortise/base/abi.hpp>
#include <mortise/cluster/store.hpp>

// Requests as etcd reads them, and what its answers say: bytes in, bytes out. What comes from the network is not trusted: whatever it is, the
// result is one line that says what it lacks, and never more than it says.
namespace mortise::inline MORTISE_ABI::cluster::etcd {

// etcd counts leases in seconds: rounded up, at least one.
std::string grant_request(nanos ttl);
std::string lease_request(lease_id lease);  // to revoke it, and to keep it alive
std::string authenticate_request(const std::string& user, const std::string& password);

// `prefix` is put before all keys, and taken off those in the answer.
std::string transaction_request(const transaction& t, const std::string& prefix);

std::string watch_request(std::int64_t id, const std::string& key, revision from);
std::string forget_request(std::int64_t id);

lease_reply grant_reply(std::string_view bytes);
lease_reply keep_alive_reply(std::string_view bytes, lease_id lease);
reply revoke_reply(std::string_view bytes);
// One that lacks a field has `at` 0 and leaves `found` short: whoever asked sees that.
transaction_reply commit_reply(std::string_view bytes, const transaction& t, const std::string& prefix);
std::optional<std::string> token_of(std::string_view bytes);  // nothing: none in it that can be one

struct watch_news {
  std::int64_t id = 0;  // < 0: of one that could not be made
  bool is_created = false;
  bool has_ended = false;  // refused, compacted, or as we wished
  bool was_erased = false;
  std::string why;
};
std::optional<watch_news> watch_reply(std::string_view bytes);  // nothing: that is no answer of etcd's

}  // namespace mortise::inline MORTISE_ABI::cluster::etcd
