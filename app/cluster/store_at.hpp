#pragma once

#include <app/run/cluster_place.hpp>
#include <mortise/cluster/etcd/store.hpp>

namespace app::cluster {

// What the flags say. Requires: endpoints.
mortise::cluster::etcd_options options_of(const cluster_place& place);

// One transaction and its answer; `unknown` if none came within some seconds. Blocks the thread.
mortise::cluster::transaction_reply ask(mortise::cluster::store& s, mortise::cluster::transaction t);

}  // namespace app::cluster
