// The cluster scope's locks on a real etcd. Several sessions in one process stand for several processes. Each case opens with the bug that it
// would show.
#include <mortise/cluster/guarded.hpp>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include <mortise/cluster/errors.hpp>
#include <mortise/cluster/json/codec.hpp>
#include <mortise/cluster/mutex.hpp>
#include <mortise/cluster/session.hpp>
#include <mortise/task/go.hpp>
#include <mortise/task/task_scope.hpp>

#include "stage.hpp"

namespace {

using namespace std::chrono_literals;
using namespace cluster_test;
using mortise::outcome;
using mutex = mortise::cluster::mutex;
template <class T>
using guarded = mortise::cluster::guarded<T>;

using locks_on_etcd = with_etcd;

// The bug: two are inside at once.
TEST_F(locks_on_etcd, one_holder_among_processes) {
  etcd_store first{where()}, second_one{where()};
  session a{first}, b{second_one};
  mutex in_a{a, "jobs"}, in_b{b, "jobs"};
  int inside = 0, entries = 0;
  mortise::token last = 0;
  std::vector<std::jthread> threads;
  for (mutex* m : {&in_a, &in_b}) {
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, m] {
        for (int i = 0; i < 20; ++i) {
          const std::lock_guard hold{*m};
          EXPECT_EQ(++inside, 1);
          EXPECT_GE(m->token(), last);
          last = m->token();
          ++entries;
          --inside;
        }
      });
    }
  }
  threads.clear();
  EXPECT_EQ(entries, 120);
}

// The bug: an update is lost or done twice.
TEST_F(locks_on_etcd, every_update_counts_once) {
  etcd_store first{where()}, second_one{where()};
  session a{first}, b{second_one};
  guarded<int> in_a{a, "n"}, in_b{b, "n"};
  {
    mortise::task_scope tasks;
    for (guarded<int>* g : {&in_a, &in_b}) {
      for (int t = 0; t < 10; ++t) {
        tasks.go([g] {
          for (int i = 0; i < 10; ++i) g->update([](int& n) { ++n; });
        });
      }
    }
    tasks.join();
  }
  EXPECT_EQ(in_a.read([](int n) { return n; }), 200);
  EXPECT_EQ(in_b.read([](int n) { return n; }), 200);
  EXPECT_EQ(in_b.read_stale([](int n) { return n; }), 200);
}

// The bug: an update costs more than it must.
TEST_F(locks_on_etcd, an_uncontended_update_is_two_requests) {
  etcd_store store{where()};
  session here{store};
  here.require_lease(20s);
  guarded<int> g{here, "n"};
  g.update([](int& n) { ++n; });
  const auto before = store.counted().requests;
  for (int i = 0; i < 10; ++i) g.update([](int& n) { ++n; });
  // A renewal may have come between.
  EXPECT_GE(store.counted().requests, before + 20);
  EXPECT_LE(store.counted().requests, before + 22);
}

}  // namespace
