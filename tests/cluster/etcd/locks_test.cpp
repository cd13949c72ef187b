// The cluster scope's locks on a real etcd. Several sessions in one process stand for several processes. Each case opens with the bug that it
// would show.
#include <mortise/cluster/guarded.hpp>

#include <algorithm>
#include <atomic>
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
  // Atomic for ThreadSanitizer, which does not see what orders them: etcd.
  std::atomic<int> inside{0}, entries{0};
  std::atomic<mortise::token> last{0};
  std::vector<std::jthread> threads;
  for (mutex* m : {&in_a, &in_b}) {
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&, m] {
        for (int i = 0; i < 20; ++i) {
          const std::lock_guard hold{*m};
          EXPECT_EQ(++inside, 1);
          EXPECT_GE(m->token(), last.load());
          last = m->token();
          ++entries;
          --inside;
        }
      });
    }
  }
  threads.clear();
  EXPECT_EQ(entries.load(), 120);
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

// How many transactions the server has begun, as it counts them itself.
std::uint64_t transactions(const private_etcd& server) {
  const std::string all = server.says("/metrics");
  const std::string name =
      "grpc_server_started_total{grpc_method=\"Txn\",grpc_service=\"etcdserverpb.KV\",grpc_type=\"unary\"} ";
  const auto at = all.find(name);
  EXPECT_NE(at, std::string::npos);
  return at == std::string::npos ? 0
                                 : static_cast<std::uint64_t>(std::stod(all.substr(at + name.size(), 20)));
}

// The bug: an update costs more than it must, or a request is sent twice by somebody below us.
TEST_F(locks_on_etcd, an_uncontended_update_is_two_requests) {
  etcd_store store{where()};
  session here{store};
  here.require_lease(20s);
  guarded<int> g{here, "n"};
  g.update([](int& n) { ++n; });
  const auto before = transactions(server());
  for (int i = 0; i < 10; ++i) g.update([](int& n) { ++n; });
  EXPECT_EQ(transactions(server()), before + 20);
}

// The bug: a value that etcd will not have is tried for ever, or spoils the lock.
TEST_F(locks_on_etcd, a_value_that_is_too_large_is_refused_and_changes_nothing) {
  etcd_store store{where()};
  session here{store};
  guarded<std::string> g{here, "text"};
  g.update([](std::string& s) { s = "small"; });
  for (const std::size_t size : {std::size_t{1600000}, std::size_t{3000000}}) {
    EXPECT_THROW(g.update([&](std::string& s) { s.assign(size, 'x'); }), refused_error) << size;
    EXPECT_EQ(g.read([](const std::string& s) { return s; }), "small");
  }
  g.update([](std::string& s) { s.assign(1000000, 'y'); });
  EXPECT_EQ(g.read([](const std::string& s) { return s.size(); }), 1000000u);
}

}  // namespace
