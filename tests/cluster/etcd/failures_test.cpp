// What goes wrong between a store and its etcd. Each case opens with the bug that it would show.
#include <gmock/gmock.h>

#include <thread>
#include <vector>

#include <mortise/cluster/guarded.hpp>
#include <mortise/cluster/json/codec.hpp>
#include <mortise/cluster/mutex.hpp>
#include <mortise/cluster/session.hpp>

#include "line.hpp"
#include "stage.hpp"

namespace {

using namespace cluster_test;
using testing::HasSubstr;

class failures_on_etcd : public with_etcd {
 protected:
  // What the server knew, and two revisions more: a watch that begins after the newest of before begins with what is forgotten.
  void forget_the_past(etcd_store& store) {
    commit(store, putting("other", "1"));
    const auto at = commit(store, putting("other", "2")).at;
    ASSERT_TRUE(etcdctl("compact " + std::to_string(at)));
  }
};
using mutex = mortise::cluster::mutex;
template <class T>
using guarded = mortise::cluster::guarded<T>;

etcd_options to(std::vector<std::string> endpoints, std::chrono::nanoseconds answer_within = 20s) {
  return {.endpoints = std::move(endpoints), .prefix = "t/", .answer_within = answer_within};
}

// Empty, too, if there was no answer.
std::vector<key_value> queue_of(store& s, const std::string& lock) {
  transaction t;
  t.then = {range{.key = lock + "//q/", .prefix = true, .most = 9}};
  const auto r = commit(s, t);
  return r.found.empty() ? std::vector<key_value>{} : r.found[0];
}

// The bug: the first endpoint is dead, and nobody asks the second.
TEST_F(failures_on_etcd, an_endpoint_that_cannot_be_reached_is_passed_over) {
  line dead{server().endpoint()};
  dead.cut();
  etcd_store store{to({"http://127.0.0.1:1", dead.endpoint(), server().endpoint()})};
  EXPECT_EQ(commit(store, putting("k", "1")).how, verdict::ok);
  answer_to<watch_end> ended;
  store.watch("k", 1, ended.taker());
  commit(store, erasing("k"));
  EXPECT_EQ(ended.get(), watch_end::erased);
}

// The bug: an answer that does not come is waited for without end, or asked for again at another server: done twice.
TEST_F(failures_on_etcd, silence_is_unknown_in_time_and_ends_with_the_next_endpoint) {
  line silent{server().endpoint()};
  etcd_store store{to({silent.endpoint(), server().endpoint()}, 1s)};
  ASSERT_EQ(commit(store, putting("k", "0")).how, verdict::ok);
  answer_to<watch_end> ended;
  store.watch("k", 1, ended.taker());
  commit(store, putting("k", "1"));
  silent.freeze();
  const auto began = std::chrono::steady_clock::now();
  const auto r = commit(store, putting("lost", "1"));
  EXPECT_EQ(r.how, verdict::unknown);
  EXPECT_THAT(r.text, HasSubstr("no answer in time"));
  EXPECT_THAT(r.text, HasSubstr(silent.endpoint()));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 1s);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  EXPECT_TRUE(ended.comes_within(3s)) << "the watch was at the silent one too; a ping would take longer";
  EXPECT_EQ(ended.get(), watch_end::broken);
  const auto after = commit(store, reading("lost"));
  ASSERT_EQ(after.how, verdict::ok) << after.text;
  EXPECT_TRUE(after.found.at(0).empty());
  EXPECT_GE(store.counted().failovers, 1u);
  silent.thaw();  // now the first request gets there, and its deadline is over
}

// The bug: a connection that breaks under a request leaves it without an answer.
TEST_F(failures_on_etcd, a_cut_connection_is_unknown_and_mends) {
  line wire{server().endpoint()};
  etcd_store store{to({wire.endpoint()})};
  ASSERT_EQ(commit(store, putting("k", "0")).how, verdict::ok);
  answer_to<watch_end> ended;
  store.watch("k", 1, ended.taker());
  wire.freeze();
  answer_to<transaction_reply> lost;
  store.commit(putting("k", "1"), lost.taker());
  EXPECT_FALSE(lost.comes_within(50ms));
  wire.cut();
  wire.thaw();
  EXPECT_EQ(lost.get().how, verdict::unknown);
  EXPECT_EQ(ended.get(), watch_end::broken);
  wire.mend();
  eventually([&] { return commit(store, reading("k")).how == verdict::ok; });
}

// The bug: a server that comes back is not found again; what was acknowledged is gone.
TEST_F(failures_on_etcd, a_server_that_is_killed_and_started_again) {
  etcd_store store{where()};
  session here{store};
  guarded<int> g{here, "n"};
  g.update([](int& n) { n = 1; });
  answer_to<watch_end> ended;
  store.watch("x", 1, ended.taker());
  eventually([&] { return store.counted().streams == 1; });
  server().kill();
  EXPECT_EQ(ended.get(), watch_end::broken);
  std::jthread updater{[&] { g.update([](int& n) { ++n; }); }};
  std::this_thread::sleep_for(200ms);
  server().start();
  updater.join();
  EXPECT_EQ(g.read([](int n) { return n; }), 2);
}

// The bug: an update whose answer was lost is done twice, or not at all.
TEST_F(failures_on_etcd, updates_over_a_bad_line_count_once) {
  line wire{server().endpoint()};
  etcd_store store{to({wire.endpoint(), wire.endpoint()}, 500ms)}, sane{where()};
  session here{store, {.lease_ttl = 60s}}, there{sane};
  guarded<std::vector<int>> g{here, "list"}, other{there, "list"};
  std::atomic<bool> stop{false};
  std::jthread trouble{[&] {
    while (!stop) {
      std::this_thread::sleep_for(70ms);
      wire.freeze();
      std::this_thread::sleep_for(20ms);
      wire.cut();
      wire.thaw();
      std::this_thread::sleep_for(10ms);
      wire.mend();
    }
  }};
  std::vector<int> done, maybe;
  for (int i = 0; (i < 60 || store.counted().unknown < 5) && i < 10000; ++i) {
    const auto r = g.try_update([i](std::vector<int>& v) { v.push_back(i); });
    if (r) done.push_back(i);
    if (r.how == mortise::outcome::unknown) maybe.push_back(i);
  }
  stop = true;
  trouble.join();
  const auto all = other.read([](const auto& v) { return v; });
  for (const int i : done) EXPECT_EQ(std::count(all.begin(), all.end(), i), 1) << i;
  for (const int i : maybe) EXPECT_LE(std::count(all.begin(), all.end(), i), 1) << i;
  EXPECT_LE(all.size(), done.size() + maybe.size());
  RecordProperty("done", static_cast<int>(done.size()));
  RecordProperty("unknown", static_cast<int>(store.counted().unknown));
  EXPECT_GT(store.counted().unknown, 0u) << "the line was not bad enough to show anything";
}

// The bug: a lease outlives a process that cannot renew it, or a holder is not told.
TEST_F(failures_on_etcd, a_lease_that_cannot_be_renewed_ends) {
  line wire{server().endpoint()};
  etcd_store store{to({wire.endpoint()}, 300ms)}, sane{where()};
  session here{store, {.lease_ttl = 2s}}, there{sane};
  mutex mine{here, "jobs"}, theirs{there, "jobs"};
  mine.lock();
  const std::stop_token lost = mine.lost();
  wire.freeze();
  EXPECT_TRUE(theirs.try_lock_for(20s));
  EXPECT_TRUE(lost.stop_requested()) << "warned before the others get it";
  theirs.unlock();
  wire.thaw();
  mine.unlock();
}

// The bug: a watch whose server has forgotten what came after its beginning waits for ever.
TEST_F(failures_on_etcd, compaction_breaks_no_queue) {
  line wire{server().endpoint()};
  etcd_store first{where()}, second_one{to({wire.endpoint()})};
  session a{first}, b{second_one, {.lease_ttl = 60s}};
  mutex in_a{a, "jobs"}, in_b{b, "jobs"};
  in_a.lock();
  std::jthread waits{[&] { const std::lock_guard hold{in_b}; }};
  eventually([&] { return queue_of(first, "jobs").size() == 2 && second_one.counted().watches == 1; });
  forget_the_past(first);
  wire.cut();
  wire.mend();
  eventually([&] { return second_one.counted().watches > 1; });
  in_a.unlock();
  waits.join();
}

// The bug: a holder's watch for its own key has broken, is to begin with what the server has forgotten since, and breaks for ever: nobody is told.
TEST_F(failures_on_etcd, a_holder_whose_watch_broke_after_a_compaction_is_told) {
  line wire{server().endpoint()};
  etcd_store store{to({wire.endpoint()})}, sane{where()};
  session here{store, {.lease_ttl = 60s}};
  mutex mine{here, "jobs"};
  mine.lock();
  const std::stop_token lost = mine.lost();
  const auto queue = queue_of(sane, "jobs");
  ASSERT_EQ(queue.size(), 1u);
  eventually([&] { return store.counted().watches == 1; });
  forget_the_past(sane);
  wire.cut();
  wire.mend();
  eventually([&] { return store.counted().watches > 1; });
  EXPECT_FALSE(lost.stop_requested());
  commit(sane, erasing(queue[0].key));
  eventually([&] { return lost.stop_requested(); });
  mine.unlock();
}

// The bug: a completion is forgotten, or called when its store is no more.
TEST_F(failures_on_etcd, the_destructor_answers_everything) {
  line silent{server().endpoint()};
  std::vector<answer_to<transaction_reply>> commits(50);
  std::vector<answer_to<watch_end>> watched(50);
  answer_to<lease_reply> renewed;
  {
    etcd_store store{to({silent.endpoint()}, 60s)};
    commit(store, putting("k", ""));
    silent.freeze();
    for (auto& c : commits) store.commit(putting("k", "1"), c.taker());
    for (auto& w : watched) store.watch("k", 1, w.taker());
    store.keep_alive(7, renewed.taker());
  }
  for (auto& c : commits) {
    EXPECT_EQ(c.times(), 1);
    EXPECT_EQ(c.get().how, verdict::unknown);
  }
  for (auto& w : watched) EXPECT_EQ(w.times(), 1);
  EXPECT_EQ(renewed.times(), 1);
  etcd_store never_connected{to({"http://127.0.0.1:1"}, 60s)};
}

// The bug: what is no etcd is waited for, or believed, or complained about in many lines.
TEST_F(failures_on_etcd, endpoints_that_are_not_etcd_are_named) {
  const auto said = [](const std::string& endpoint) {
    etcd_store store{to({endpoint}, 2s)};
    const auto r = commit(store, putting("k", "1"));
    EXPECT_NE(r.how, verdict::ok);
    EXPECT_EQ(r.text.find('\n'), std::string::npos);
    EXPECT_THAT(r.text, HasSubstr(endpoint));
    return r.text;
  };
  EXPECT_THAT(said("http://127.0.0.1:1"), HasSubstr("refused"));
  EXPECT_THAT(said("http://no-such-host.invalid:2379"), HasSubstr("resolution"));
  EXPECT_THAT(said(server().metrics_endpoint()), HasSubstr("http1.x"));
  line dead{server().endpoint()};
  dead.freeze();
  EXPECT_THAT(said(dead.endpoint()), testing::AnyOf(HasSubstr("no answer in time"), HasSubstr("timed out")));
}

// The bug: a store that waits for itself.
TEST(etcd_store_death, destruction_by_a_completion_is_named) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_DEATH(
      {
        auto store = std::make_unique<etcd_store>(to({"http://127.0.0.1:1"}, 1s));
        store->grant(second, [&](const lease_reply&) { store.reset(); });
        std::this_thread::sleep_for(10s);
      },
      "destroyed by a completion of its own");
}

class small_etcd : public with_etcd {
 protected:
  private_etcd::options server_options() override {
    private_etcd::options o;
    o.extra = {"--quota-backend-bytes=2000000"};
    return o;
  }
};

// The bug: "no space", which etcd says of what it has done too, is taken for "not done".
TEST_F(small_etcd, that_is_full_leaves_what_it_has_done_unknown) {
  etcd_store store{where()};
  session here{store, {.lease_ttl = 60s}};
  guarded<std::string> g{here, "text"};
  g.update([](std::string& s) { s = "a"; });
  transaction_reply last;
  last.how = verdict::ok;
  for (int i = 0; i < 60 && last.how != verdict::unknown; ++i)
    last = commit(store, putting("filler", std::string(200000, static_cast<char>('a' + i % 26))));
  ASSERT_EQ(last.how, verdict::unknown) << "it did not get full";
  EXPECT_THAT(last.text, HasSubstr("database space exceeded"));
  // What costs no space goes on, an update waits, and is done once there is some.
  EXPECT_EQ(g.read([](const std::string& s) { return s; }), "a");
  std::jthread waits{[&] { g.update([](std::string& s) { s += "b"; }); }};
  std::this_thread::sleep_for(100ms);
  const auto at = commit(store, erasing("filler")).at;
  EXPECT_GT(at, 0);
  ASSERT_TRUE(etcdctl("compact " + std::to_string(at)));
  ASSERT_TRUE(etcdctl("defrag"));
  ASSERT_TRUE(etcdctl("alarm disarm"));
  waits.join();
  EXPECT_EQ(g.read([](const std::string& s) { return s; }), "ab");
}

}  // namespace
