#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>

#include <grpc/support/time.h>
#include <grpcpp/client_context.h>

#include <mortise/base/abi.hpp>
#include <mortise/cluster/etcd/channels.hpp>
#include <mortise/cluster/etcd/engine.hpp>
#include <mortise/cluster/etcd/store.hpp>
#include <mortise/cluster/etcd/token.hpp>
#include <mortise/cluster/etcd/verdicts.hpp>

namespace mortise::inline MORTISE_ABI::cluster::etcd {

struct request {
  const char* method;
  std::string bytes;
  gpr_timespec deadline;
  bool needs_leader = true;  // without one it is refused at once
  bool needs_token = true;
};

struct answer {
  judgement what;
  std::string text;   // if not ok, one line
  std::string bytes;  // if ok
};

// Requests with one answer. Under the engine's lock, as all of it.
//
// C1: a request is sent again only after a status that says that it was surely not done: to another endpoint, each at most once; or with a new
//     token, once.
// C2: `done` is called once, not later than the deadline and what it takes to see that it is over.
class calls {
 public:
  using completed = std::function<void(answer&&)>;

  calls(engine& e, channels& c, const etcd_options& o);
  calls(const calls&) = delete;
  calls& operator=(const calls&) = delete;
  ~calls();

  void start(request r, completed done);
  void cancel_all();  // as the engine ends

  gpr_timespec deadline() const noexcept;  // of a request that begins now

  // For streams: with what a request begins, and when it may.
  void with_token(gpr_timespec deadline, token::waiting ready);
  void prepare(grpc::ClientContext& c, bool needs_leader, bool with_token) const;
  std::uint64_t token_generation() const noexcept { return m_token.generation(); }
  void token_was_refused(std::uint64_t generation) noexcept {
    if (m_has_user) m_token.refused(generation);
  }

  // Called when an endpoint has let a deadline pass.
  std::function<void(std::size_t endpoint)> on_silence;

 private:
  class one;
  void authenticated(answer a);

  engine& m_engine;
  channels& m_channels;
  const etcd_options& m_options;
  const bool m_has_user;
  token m_token;
  std::unordered_set<one*> m_all;
};

}  // namespace mortise::inline MORTISE_ABI::cluster::etcd
