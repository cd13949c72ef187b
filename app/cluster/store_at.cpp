#include <app/cluster/store_at.hpp>

#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <utility>

namespace app::cluster {

namespace mc = mortise::cluster;

mc::etcd_options options_of(const cluster_place& p) {
  mc::etcd_options o;
  o.endpoints = p.endpoints;
  o.prefix = p.prefix;
  o.user = p.user;
  if (!p.user.empty()) o.password = std::getenv("MORTISE_ETCD_PASSWORD");  // is there: check()
  o.ca_file = p.ca;
  o.certificate_file = p.certificate;
  o.key_file = p.key;
  return o;
}

mc::transaction_reply ask(mc::store& s, mc::transaction t) {
  const auto answer = std::make_shared<std::promise<mc::transaction_reply>>();
  std::future<mc::transaction_reply> comes = answer->get_future();
  s.commit(std::move(t), [answer](const mc::transaction_reply& r) { answer->set_value(r); });
  if (comes.wait_for(std::chrono::seconds{10}) != std::future_status::ready) return {};
  return comes.get();
}

}  // namespace app::cluster
