#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <mortise/base/abi.hpp>
#include <mortise/cluster/etcd/endpoint.hpp>
#include <mortise/cluster/etcd/store.hpp>

namespace mortise::inline MORTISE_ABI::cluster::etcd {

// A connection to each endpoint, and which of them is used: one as long as it answers. Under the engine's lock.
class channels {
 public:
  explicit channels(const etcd_options& o);  // throws as etcd_store

  std::size_t count() const noexcept { return m_all.size(); }
  const std::string& name(std::size_t i) const noexcept { return m_all[i].where.text; }
  grpc::GenericStub& stub(std::size_t i) noexcept { return *m_all[i].stub; }

  // One that is not in `tried` (a bit for each), connected if possible. Requires: there is one.
  std::size_t pick(std::uint64_t tried);
  // It has not answered: another one is used from now on, if there is one and it was this.
  bool failed(std::size_t i);

 private:
  struct one {
    endpoint where;
    std::shared_ptr<grpc::Channel> channel;
    std::unique_ptr<grpc::GenericStub> stub;
  };
  std::vector<one> m_all;
  std::size_t m_current = 0;
};

}  // namespace mortise::inline MORTISE_ABI::cluster::etcd
