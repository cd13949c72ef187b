// mortise::cluster_etcd: nobody answers at this endpoint, which is all that can be seen without a server.
#include <chrono>
#include <cstdio>
#include <string>

#include <mortise/cluster/errors.hpp>
#include <mortise/cluster/etcd/store.hpp>
#include <mortise/cluster/guarded.hpp>
#include <mortise/cluster/mutex.hpp>
#include <mortise/cluster/session.hpp>

int main() {
  using namespace std::chrono_literals;
  mortise::cluster::etcd_store etcd{{.endpoints = {"http://127.0.0.1:1"}}};
  mortise::cluster::session here{etcd};
  mortise::cluster::mutex m{here, "jobs"};
  mortise::cluster::guarded<std::string> text{here, "text"};
  if (m.try_lock_for(10ms)) return 2;
  try {
    here.require_lease(500ms);
    return 3;
  } catch (const mortise::cluster::refused_error& e) {
    std::puts(e.what());
    return std::string{e.what()}.find("cannot connect") == std::string::npos ? 4 : 0;
  }
}
