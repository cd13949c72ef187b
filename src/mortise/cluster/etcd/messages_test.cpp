#include <mortise/cluster/etcd/messages.hpp>

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "wire.pb.h"

namespace {

namespace wire = mortise_etcd_wire;
namespace etcd = mortise::cluster::etcd;
using namespace mortise::cluster;

transaction one_of_each() {
  transaction t;
  t.if_all = {{"a", compare::which::created, 3}, {"b", compare::which::changed, 0}};
  t.then = {put{"a", "v", 7}, erase{"b"}, range{.key = "q/", .prefix = true, .most = 2, .created_until = 9}};
  t.otherwise = {range{.key = "a"}};
  return t;
}

TEST(messages, a_transaction_is_written_as_etcd_reads_it) {
  wire::transaction_request m;
  ASSERT_TRUE(m.ParseFromString(etcd::transaction_request(one_of_each(), "p/")));
  ASSERT_EQ(m.if_all_size(), 2);
  EXPECT_EQ(m.if_all(0).key(), "p/a");
  EXPECT_EQ(m.if_all(0).what(), wire::comparison::CREATE);
  EXPECT_EQ(m.if_all(0).create_revision(), 3);
  EXPECT_EQ(m.if_all(1).what(), wire::comparison::MOD);
  EXPECT_TRUE(m.if_all(1).has_mod_revision()) << "zero too";
  ASSERT_EQ(m.then_size(), 3);
  EXPECT_EQ(m.then(0).put().lease(), 7);
  EXPECT_EQ(m.then(1).erase().key(), "p/b");
  const auto& r = m.then(2).range();
  EXPECT_EQ(r.key(), "p/q/");
  EXPECT_EQ(r.range_end(), "p/q0");
  EXPECT_EQ(r.limit(), 2);
  EXPECT_EQ(r.max_create_revision(), 9);
  EXPECT_EQ(r.sort_order(), wire::range_request::DESCEND);
  EXPECT_EQ(r.sort_target(), wire::range_request::CREATE);
  EXPECT_FALSE(r.serializable());
  EXPECT_EQ(m.otherwise(0).range().range_end(), "");
}

TEST(messages, the_end_of_a_prefix) {
  const auto end_of = [](const std::string& prefix) {
    transaction t;
    t.then = {range{.key = prefix, .prefix = true}};
    wire::transaction_request m;
    EXPECT_TRUE(m.ParseFromString(etcd::transaction_request(t, "")));
    return m.then(0).range().range_end();
  };
  EXPECT_EQ(end_of("a"), "b");
  EXPECT_EQ(end_of("a\xff\xff"), "b");
  EXPECT_EQ(end_of("\xff"), std::string(1, '\0'));
}

// The bug: a lease shorter than was asked for.
TEST(messages, seconds_are_rounded_up) {
  const auto asked = [](mortise::nanos ttl) {
    wire::grant_request m;
    EXPECT_TRUE(m.ParseFromString(etcd::grant_request(ttl)));
    return m.ttl();
  };
  EXPECT_EQ(asked(0), 1);
  EXPECT_EQ(asked(1), 1);
  EXPECT_EQ(asked(1'000'000'000), 1);
  EXPECT_EQ(asked(1'000'000'001), 2);
}

std::string good_answer() {
  wire::transaction_response m;
  m.mutable_head()->set_revision(12);
  m.set_succeeded(true);
  m.add_responses()->mutable_put();
  m.add_responses()->mutable_erase();
  auto& kv = *m.add_responses()->mutable_range()->add_kvs();
  kv.set_key("p/q/x");
  kv.set_value("v");
  kv.set_create_revision(5);
  kv.set_mod_revision(6);
  return m.SerializeAsString();
}

TEST(messages, an_answer_is_read) {
  const auto r = etcd::commit_reply(good_answer(), one_of_each(), "p/");
  EXPECT_EQ(r.how, verdict::ok);
  EXPECT_TRUE(r.succeeded);
  EXPECT_EQ(r.at, 12);
  ASSERT_EQ(r.found.size(), 1u);
  ASSERT_EQ(r.found[0].size(), 1u);
  EXPECT_EQ(r.found[0][0].key, "q/x");
  EXPECT_EQ(r.found[0][0].changed, 6);
}

// The bug: what is not there is taken for "there is none", and somebody holds a lock.
TEST(messages, an_answer_that_lacks_something_says_less) {
  const auto found_after = [](auto spoil) {
    wire::transaction_response m;
    EXPECT_TRUE(m.ParseFromString(good_answer()));
    spoil(m);
    return etcd::commit_reply(m.SerializeAsString(), one_of_each(), "p/").found.size();
  };
  EXPECT_EQ(found_after([](auto&) {}), 1u);
  EXPECT_EQ(found_after([](auto& m) { m.clear_head(); }), 0u);
  EXPECT_EQ(found_after([](auto& m) { m.mutable_head()->set_revision(0); }), 0u);
  EXPECT_EQ(found_after([](auto& m) { m.mutable_responses()->RemoveLast(); }), 0u);
  EXPECT_EQ(found_after([](auto& m) { m.add_responses(); }), 0u);
  EXPECT_EQ(found_after([](auto& m) { m.mutable_responses(2)->mutable_put(); }), 0u);
  EXPECT_EQ(found_after([](auto& m) { m.mutable_responses(0)->Clear(); }), 0u);
  EXPECT_EQ(
      found_after([](auto& m) { m.mutable_responses(2)->mutable_range()->mutable_kvs(0)->set_key("r/x"); }),
      0u);
  EXPECT_EQ(found_after([](auto& m) {
              m.mutable_responses(2)->mutable_range()->mutable_kvs(0)->clear_create_revision();
            }),
            0u)
      << "it would be a token";
  EXPECT_EQ(etcd::commit_reply("", one_of_each(), "").found.size(), 0u);
  EXPECT_EQ(etcd::commit_reply("", one_of_each(), "").at, 0);
  EXPECT_EQ(etcd::commit_reply("\xff\xff", one_of_each(), "").how, verdict::unknown);
}

// The bug: an empty answer, which a proxy may give, is taken for etcd's.
TEST(messages, an_answer_about_a_lease_has_a_header) {
  EXPECT_EQ(etcd::revoke_reply("").how, verdict::unknown);
  wire::keep_alive_response k;
  k.set_id(7);
  EXPECT_EQ(etcd::keep_alive_reply(k.SerializeAsString(), 7).how, verdict::unknown) << "it is not gone";
  wire::grant_response g;
  g.set_id(7);
  g.set_ttl(5);
  EXPECT_EQ(etcd::grant_reply(g.SerializeAsString()).how, verdict::unknown);
}

TEST(messages, answers_about_leases) {
  wire::grant_response g;
  g.mutable_head();
  EXPECT_EQ(etcd::grant_reply(g.SerializeAsString()).how, verdict::unknown) << "no lease";
  g.set_id(7);
  g.set_ttl(5);
  EXPECT_EQ(etcd::grant_reply(g.SerializeAsString()).ttl, 5'000'000'000);
  g.set_ttl(INT64_MAX);
  EXPECT_EQ(etcd::grant_reply(g.SerializeAsString()).how, verdict::unknown);
  g.set_ttl(5);
  g.set_error("no");
  EXPECT_EQ(etcd::grant_reply(g.SerializeAsString()).text, "no");
  wire::keep_alive_response k;
  k.mutable_head();
  k.set_id(7);
  EXPECT_EQ(etcd::keep_alive_reply(k.SerializeAsString(), 7).how, verdict::ok);
  EXPECT_EQ(etcd::keep_alive_reply(k.SerializeAsString(), 7).ttl, 0);
  EXPECT_EQ(etcd::keep_alive_reply(k.SerializeAsString(), 8).how, verdict::unknown);
  k.set_ttl(-1);
  EXPECT_EQ(etcd::keep_alive_reply(k.SerializeAsString(), 7).ttl, 0);
}

TEST(messages, news_of_a_watch) {
  wire::watch_response m;
  EXPECT_FALSE(etcd::watch_reply(m.SerializeAsString()));
  m.mutable_head();
  m.set_watch_id(3);
  m.add_events()->set_type(wire::event::PUT);
  EXPECT_FALSE(etcd::watch_reply(m.SerializeAsString())->was_erased);
  m.add_events()->set_type(wire::event::DELETE);
  EXPECT_TRUE(etcd::watch_reply(m.SerializeAsString())->was_erased);
  m.set_compact_revision(9);
  EXPECT_TRUE(etcd::watch_reply(m.SerializeAsString())->has_ended);
}

// The bug: bytes that nobody thought of.
TEST(messages, whatever_the_bytes_are_nothing_breaks) {
  std::mt19937 random{4};
  const transaction t = one_of_each();
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = good_answer();
    for (unsigned n = random() % 4 + 1; n != 0; --n)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const auto r = etcd::commit_reply(bytes, t, "p/");
    EXPECT_TRUE(r.how == verdict::ok || (r.how == verdict::unknown && !r.text.empty()));
    EXPECT_LE(r.found.size(), 1u);
    static_cast<void>(etcd::grant_reply(bytes));
    static_cast<void>(etcd::keep_alive_reply(bytes, 1));
    static_cast<void>(etcd::watch_reply(bytes));
    static_cast<void>(etcd::token_of(bytes));
  }
}

}  // namespace
