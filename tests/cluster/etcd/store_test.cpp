// etcd_store on a real etcd: leases, transactions, watches. Each case opens with the bug that it would show.
#include <mortise/cluster/etcd/store.hpp>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include <mortise/task/go.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/task_scope.hpp>

#include "stage.hpp"

namespace {

using namespace std::chrono_literals;
using namespace cluster_test;

using etcd_store_on_etcd = with_etcd;

std::string name(int i) { return std::string{"k"} + std::to_string(i); }

// The bug: a TTL in nanoseconds, or rounded down, or not what etcd made of it.
TEST_F(etcd_store_on_etcd, a_lease_is_granted_kept_alive_and_revoked) {
  etcd_store store{where()};
  const auto l = grant(store, 4 * second + 1);
  ASSERT_EQ(l.how, verdict::ok) << l.text;
  EXPECT_EQ(l.ttl, 5 * second);
  EXPECT_EQ(keep_alive(store, l.lease).ttl, 5 * second);
  EXPECT_GE(grant(store, 1).ttl, 2 * second) << "etcd's least";
  EXPECT_EQ(revoke(store, l.lease).how, verdict::ok);
  const auto gone = keep_alive(store, l.lease);
  EXPECT_EQ(gone.how, verdict::ok);
  EXPECT_EQ(gone.ttl, 0);
  const auto again = revoke(store, l.lease);
  EXPECT_EQ(again.how, verdict::refused);
  EXPECT_TRUE(again.no_such_lease);
}

// The bug: compares, lists or revisions are not what the contract says.
TEST_F(etcd_store_on_etcd, a_transaction_compares_and_does_one_list_or_the_other) {
  etcd_store store{where()};
  transaction t;
  t.if_all = {{"a", compare::which::created, 0}};
  t.then = {put{"a", "1"}, range{.key = "a"}};
  t.otherwise = {range{.key = "a"}};
  const auto first = commit(store, t);
  ASSERT_EQ(first.how, verdict::ok) << first.text;
  EXPECT_TRUE(first.succeeded);
  ASSERT_EQ(first.found.size(), 1u);
  ASSERT_EQ(first.found[0].size(), 1u);
  EXPECT_EQ(first.found[0][0].key, "a");
  EXPECT_EQ(first.found[0][0].value, "1");
  EXPECT_EQ(first.found[0][0].created, first.at);
  EXPECT_EQ(first.found[0][0].changed, first.at);
  const auto second_one = commit(store, t);
  EXPECT_FALSE(second_one.succeeded);
  ASSERT_EQ(second_one.found.size(), 1u);
  EXPECT_EQ(second_one.found[0][0].created, first.at);
  const auto put_again = commit(store, putting("a", "2"));
  transaction changed;
  changed.if_all = {{"a", compare::which::changed, put_again.at}, {"a", compare::which::created, first.at}};
  EXPECT_TRUE(commit(store, changed).succeeded);
  const auto read = commit(store, reading("a"));
  ASSERT_EQ(read.found.size(), 1u);
  EXPECT_EQ(read.found[0][0].value, "2");
  EXPECT_EQ(read.at, put_again.at) << "erasing what is not there changes nothing";
}

// The bug: the oldest comes first, or a neighbour's keys come too.
TEST_F(etcd_store_on_etcd, a_prefix_is_read_newest_first) {
  etcd_store store{where()};
  std::vector<revision> at;
  for (const char* key : {"q/b", "q/c", "q/a", "r/x", "q"}) at.push_back(commit(store, putting(key, key)).at);
  transaction t;
  t.then = {range{.key = "q/", .prefix = true, .most = 2}, range{.key = "q/", .prefix = true, .most = 10},
            range{.key = "q/", .prefix = true, .most = 1, .created_until = at[1]}, range{.key = "none"}};
  const auto r = commit(store, t);
  ASSERT_EQ(r.found.size(), 4u) << r.text;
  ASSERT_EQ(r.found[0].size(), 2u);
  EXPECT_EQ(r.found[0][0].key, "q/a");
  EXPECT_EQ(r.found[0][1].key, "q/c");
  EXPECT_EQ(r.found[1].size(), 3u);
  ASSERT_EQ(r.found[2].size(), 1u);
  EXPECT_EQ(r.found[2][0].key, "q/c");
  EXPECT_TRUE(r.found[3].empty());
}

// The bug: a key outlives its lease; one with a lease that is gone is put all the same.
TEST_F(etcd_store_on_etcd, a_key_ends_with_its_lease) {
  etcd_store store{where()};
  const auto l = grant(store, 60 * second);
  const auto at = commit(store, putting("k", "", l.lease)).at;
  answer_to<watch_end> ended;
  store.watch("k", at + 1, ended.taker());
  EXPECT_EQ(revoke(store, l.lease).how, verdict::ok);
  EXPECT_EQ(ended.get(), watch_end::erased);
  const auto r = commit(store, putting("k", "", l.lease));
  EXPECT_EQ(r.how, verdict::refused);
  EXPECT_TRUE(r.no_such_lease);
  EXPECT_NE(r.text.find("requested lease not found"), std::string::npos) << r.text;
}

// The bug: a change is taken for an end; an end before the watch began is missed; another key's is taken for this one's.
TEST_F(etcd_store_on_etcd, a_watch_ends_when_its_key_is_erased) {
  etcd_store store{where()};
  const auto at = commit(store, putting("k", "1")).at;
  commit(store, putting("kk", "1"));
  answer_to<watch_end> ended, of_the_past;
  store.watch("k", at + 1, ended.taker());
  commit(store, putting("k", "2"));
  commit(store, erasing("kk"));
  EXPECT_FALSE(ended.comes_within(100ms));
  commit(store, erasing("k"));
  EXPECT_EQ(ended.get(), watch_end::erased);
  store.watch("k", at + 1, of_the_past.taker());
  EXPECT_EQ(of_the_past.get(), watch_end::erased);
  EXPECT_EQ(ended.times(), 1);
}

// The bug: a watch from before what etcd remembers never ends.
TEST_F(etcd_store_on_etcd, a_watch_that_cannot_be_had_is_broken) {
  etcd_store store{where()};
  const auto at = commit(store, putting("k", "1")).at;
  commit(store, erasing("k"));
  const auto last = commit(store, putting("j", "1")).at;
  ASSERT_TRUE(etcdctl("compact " + std::to_string(last)));
  answer_to<watch_end> ended;
  store.watch("k", at + 1, ended.taker());
  EXPECT_EQ(ended.get(), watch_end::broken);
}

// The bug: watches are mixed up, or one that nobody wants any more keeps the others.
TEST_F(etcd_store_on_etcd, a_thousand_watches) {
  etcd_store store{where()};
  constexpr int many = 1000;
  std::vector<answer_to<watch_end>> ended(many);
  std::vector<std::uint64_t> ids(many);
  revision from = 0;
  for (int i = 0; i < many; i += 100) {
    transaction t;
    for (int k = i; k < i + 100; ++k) t.then.push_back(put{name(k), ""});
    from = commit(store, t).at;
  }
  for (int i = 0; i < many; ++i) ids[i] = store.watch(name(i), from + 1, ended[i].taker());
  for (int i = 0; i < many; i += 2) store.forget(ids[i]);
  for (int i = 0; i < many; i += 100) {
    transaction t;
    for (int k = i; k < i + 100; ++k) t.then.push_back(erase{name(k)});
    commit(store, t);
  }
  for (int i = 1; i < many; i += 2) EXPECT_EQ(ended[i].get(), watch_end::erased);
  for (int i = 0; i < many; i += 2) EXPECT_LE(ended[i].times(), 1);
}

// The bug: a completion that runs within the call meets a lock that its caller holds.
TEST_F(etcd_store_on_etcd, completions_are_called_on_other_threads) {
  etcd_store store{where()};
  std::mutex held;
  std::atomic<int> called{0};
  const auto me = std::this_thread::get_id();
  const auto done = [&](const auto&) {
    EXPECT_NE(std::this_thread::get_id(), me);
    const std::lock_guard hold{held};
    ++called;
  };
  {
    const std::lock_guard hold{held};
    store.commit(putting("k", "1"), done);
    store.grant(second, done);
    store.watch("k", 1, done);
    store.keep_alive(1, done);
    std::this_thread::sleep_for(50ms);
  }
  eventually([&] { return called == 3; });
  commit(store, erasing("k"));
  eventually([&] { return called == 4; });
}

// The bug: gRPC runs on the stack of a fiber, which is too small for it.
TEST_F(etcd_store_on_etcd, fibers_with_small_stacks_ask) {
  etcd_store store{where()};
  mortise::runtime small{{.workers = 2, .stack_size = 16384}};
  std::atomic<int> answered{0};
  {
    mortise::task_scope tasks{small};
    for (int i = 0; i < 50; ++i) {
      tasks.go([&] {
        transaction t = putting("k", "v");
        store.commit(std::move(t), [&](const transaction_reply& r) { answered += r.how == verdict::ok; });
        store.forget(store.watch("k", 1, [](watch_end) {}));
      });
    }
    tasks.join();
  }
  eventually([&] { return answered == 50; });
}

}  // namespace
