#pragma once

// mortise::cluster::etcd_store: the cluster scope on etcd 3.4 or later.
//
//     mortise::cluster::etcd_store etcd{{.endpoints = {"https://10.0.0.1:2379", "https://10.0.0.2:2379"}, .ca_file = "ca.pem"}};
//     mortise::cluster::session here{etcd};
//     mortise::cluster::mutex m{here, "jobs/nightly"};

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/cluster/store.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

struct etcd_options {
  // http://HOST:PORT or https://HOST:PORT, all the same; HOST is a name or an address, [in brackets] of IPv6. The first of them
  // that is connected is used as long as it answers.
  std::vector<std::string> endpoints{"http://127.0.0.1:2379"};
  std::string prefix{};                                   // put before every key
  std::string user{}, password{};                         // both or none
  std::string ca_file{}, certificate_file{}, key_file{};  // PEM, for https; without a CA, the system's
  std::chrono::nanoseconds answer_within{std::chrono::seconds{2}};  // 10 ms to 10 min; afterwards `unknown`
};

// Since it was made.
struct etcd_numbers {
  std::uint64_t requests = 0;         // sent, but for watches; a renewed one counts again
  std::uint64_t unknown = 0;          // without an answer
  std::uint64_t refused = 0;          // that etcd would not do
  std::uint64_t authentications = 0;  // of requests: for a token
  std::uint64_t failovers = 0;        // from one endpoint to another
  std::uint64_t watches = 0;
  std::uint64_t streams = 0;  // that watches were on, one at a time
};

// Promises
// - CE1 A request is done once at most, however it ends. It is sent again only after a status that says that it surely was not done: to each other
//   endpoint once, or with a new token once.
// - CE2 Each completion is called once, on a thread of the store and never within the call; of a request, when answer_within is over at the latest. A
//   watch that etcd does not confirm in that time is broken, and so are all whose connection is lost.
// - CE3 `refused` is said of what etcd surely has not done and will not do, and of nothing else (docs/decisions/etcd.md).
// - CE4 An endpoint that cannot be reached, or has not answered, is passed over from then on.
// - CE5 With a user a token is had before the first request, and another one when etcd does not know it any more. A role that may read and write
//   `prefix` is enough.
// - CE6 With https the server must show a certificate for the endpoint's host, of an authority in ca_file.
// - CE7 Whatever a server says, nothing is believed that is not in it; what went wrong is one line that names the endpoint.
// - CE8 The destructor ends what is under way with `unknown` or `broken`; when it returns all completions have been called.
// Does not promise that what is `unknown` was not done, or will not be: that is what a transaction's compares are for. Nor anything after fork: the
// child has no such threads.
// Requires: it is not destroyed by a completion of its own.
// Blocks: nothing but the destructor.
// Cost: two threads, a connection to each endpoint, one stream for all watches; gRPC's own threads. A fiber's call is handed to another thread, whose
// stack is large enough for gRPC.
// gRPC writes to stderr what it thinks of certificates, unless GRPC_VERBOSITY=NONE is in the environment when it is first used.
class etcd_store final : public store {
 public:
  // Connects in the background. Throws: std::invalid_argument, one line that says what is wrong and what is allowed; std::system_error (no
  // threads; a file that cannot be read).
  MORTISE_API explicit etcd_store(etcd_options o = {});
  etcd_store(const etcd_store&) = delete;
  etcd_store& operator=(const etcd_store&) = delete;
  MORTISE_API ~etcd_store();

  MORTISE_API void grant(nanos ttl, completion<lease_reply> done) override;
  MORTISE_API void keep_alive(lease_id lease, completion<lease_reply> done) override;
  MORTISE_API void revoke(lease_id lease, completion<reply> done) override;
  MORTISE_API void commit(transaction what, completion<transaction_reply> done) override;
  MORTISE_API std::uint64_t watch(std::string key, revision from, completion<watch_end> done) override;
  MORTISE_API void forget(std::uint64_t watch) override;

  MORTISE_API etcd_numbers counted() const;

 private:
  class parts;
  const std::unique_ptr<parts> m_parts;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
