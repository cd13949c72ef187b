// mortise::cluster alone, on a store of one's own: this one never answers.
#include <chrono>

#include <mortise/cluster/mutex.hpp>
#include <mortise/cluster/session.hpp>
#include <mortise/cluster/store.hpp>

namespace {
using namespace mortise::cluster;
struct silent final : store {
  void grant(mortise::nanos, completion<lease_reply>) override {}
  void keep_alive(lease_id, completion<lease_reply>) override {}
  void revoke(lease_id, completion<reply>) override {}
  void commit(transaction, completion<transaction_reply>) override {}
  std::uint64_t watch(std::string, revision, completion<watch_end>) override { return 1; }
  void forget(std::uint64_t) override {}
};
}  // namespace

int main() {
  silent nobody;
  session here{nobody};
  mortise::cluster::mutex m{here, "jobs"};
  return m.try_lock_for(std::chrono::milliseconds{10}) ? 1 : 0;
}
