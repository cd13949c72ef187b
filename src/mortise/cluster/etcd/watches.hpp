#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <mortise/base/abi.hpp>
#include <mortise/cluster/etcd/calls.hpp>
#include <mortise/cluster/etcd/channels.hpp>
#include <mortise/cluster/etcd/engine.hpp>
#include <mortise/cluster/store.hpp>

namespace mortise::inline MORTISE_ABI::cluster::etcd {

// All watches of a store on one stream. If that breaks all that were on it are broken, and the next one makes another. Under the engine's lock.
class watches {
 public:
  watches(engine& e, channels& c, calls& requests);
  watches(const watches&) = delete;
  watches& operator=(const watches&) = delete;
  ~watches();

  void add(std::int64_t id, std::string key, revision from, completion<watch_end> done);
  void forget(std::int64_t id);
  void break_those_on(std::size_t endpoint);
  void cancel_all();  // as the engine ends

 private:
  class stream;

  engine& m_engine;
  channels& m_channels;
  calls& m_calls;
  stream* m_stream = nullptr;  // the one for new watches; owns itself, until its last event has come
};

}  // namespace mortise::inline MORTISE_ABI::cluster::etcd
