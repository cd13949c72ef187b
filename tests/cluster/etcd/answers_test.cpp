// What a store makes of what servers say, of which real ones rarely say some: how often a request is sent, and bad answers. Each case opens with the
// bug that it would show.
#include <gmock/gmock.h>

#include <mortise/cluster/errors.hpp>
#include <mortise/cluster/guarded.hpp>
#include <mortise/cluster/mutex.hpp>
#include <mortise/cluster/session.hpp>

#include "made_up_etcd.hpp"
#include "stage.hpp"
#include "wire.pb.h"

namespace {

using namespace cluster_test;
using testing::ElementsAre;
using testing::HasSubstr;
namespace wire = mortise_etcd_wire;

std::string done(int puts = 1) {
  wire::transaction_response m;
  m.mutable_head()->set_revision(7);
  m.set_succeeded(true);
  for (int i = 0; i < puts; ++i) m.add_responses()->mutable_put();
  return m.SerializeAsString();
}
std::string token(const std::string& text) {
  wire::authenticate_response m;
  m.mutable_head();
  m.set_token(text);
  return m.SerializeAsString();
}
std::string lease(std::int64_t id) {
  wire::grant_response m;
  m.mutable_head();
  m.set_id(id);
  m.set_ttl(10);
  return m.SerializeAsString();
}

std::string revoked() {
  wire::revoke_response m;
  m.mutable_head()->set_revision(7);
  return m.SerializeAsString();
}

struct answers : testing::Test {
  made_up_etcd first, other;
  etcd_options both() const {
    return {.endpoints = {first.endpoint(), other.endpoint()}, .answer_within = 20s};
  }
  // Once it has had an answer from the first, which it then stays with.
  void settle(etcd_store& store) {
    other.answers("LeaseRevoke", {{14, "etcdserver: no leader", {}}});
    first.answers("LeaseRevoke", {{0, "", revoked()}});
    EXPECT_EQ(revoke(store, 1).how, verdict::ok);
  }
  unsigned asked(const std::string& method = "Txn") const {
    return first.asked(method) + other.asked(method);
  }
};

// The bug: a request that a server may have done is sent to it again, or to the next one.
TEST_F(answers, what_may_have_been_done_is_sent_once) {
  unsigned sent = 0;
  for (const auto& [code, text] : {std::pair{14, "etcdserver: request timed out"},
                                   {14, "etcdserver: leader changed"},
                                   {14, "etcdserver: server stopped"},
                                   {2, "whatever"},
                                   {13, "internal"},
                                   {1, "cancelled"},
                                   {8, "etcdserver: mvcc: database space exceeded"},
                                   {10, "aborted"},
                                   {4, "deadline"}}) {
    etcd_store store{both()};
    settle(store);
    first.answers("Txn", {{code, text, {}}, {0, "", done()}});
    other.answers("Txn", {{0, "", done()}});
    EXPECT_EQ(commit(store, putting("k", "1")).how, verdict::unknown) << text;
    EXPECT_EQ(asked(), ++sent) << text;
  }
}

// The bug: what was surely not done is not sent to who would do it.
TEST_F(answers, what_was_not_done_goes_to_the_next_endpoint_once) {
  for (const auto& [code, text] : {std::pair{14, "etcdserver: no leader"},
                                   {2, "etcdserver: too many requests"},
                                   {2, "raft proposal dropped"},
                                   {14, "etcdserver: rpc not supported for learner"}}) {
    const unsigned before = first.asked("Txn"), before_other = other.asked("Txn");
    etcd_store store{both()};
    settle(store);
    first.answers("Txn", {{code, text, {}}});
    other.answers("Txn", {{0, "", done()}});
    EXPECT_EQ(commit(store, putting("k", "1")).how, verdict::ok) << text;
    EXPECT_EQ(first.asked("Txn"), before + 1);
    EXPECT_EQ(other.asked("Txn"), before_other + 1);
    other.answers("Txn", {{code, text, {}}});
    const auto r = commit(store, putting("k", "1"));
    EXPECT_EQ(r.how, verdict::unknown) << "later it may be";
    EXPECT_EQ(first.asked("Txn"), before + 2);
    EXPECT_EQ(other.asked("Txn"), before_other + 2);
  }
}

TEST_F(answers, what_is_refused_is_refused_at_once) {
  unsigned sent = 0;
  for (const auto& [code, text] : {std::pair{7, "etcdserver: permission denied"},
                                   {3, "etcdserver: request is too large"},
                                   {12, "unknown service"},
                                   {15, "etcdserver: corrupt cluster"}}) {
    etcd_store store{both()};
    settle(store);
    first.answers("Txn", {{code, text, {}}});
    const auto r = commit(store, putting("k", "1"));
    EXPECT_EQ(r.how, verdict::refused) << text;
    EXPECT_THAT(r.text, HasSubstr(first.endpoint()));
    EXPECT_EQ(asked(), ++sent) << text;
  }
}

// The bug: a bad token is renewed again and again, or not at all, or by each request for itself.
TEST_F(answers, a_token_is_renewed_once_for_all) {
  etcd_options o = both();
  o.user = "u";
  o.password = "p";
  o.endpoints.pop_back();
  etcd_store store{o};
  first.answers("Authenticate", {{0, "", token("one")}, {0, "", token("two")}, {0, "", token("three")}});
  first.answers("Txn", {{0, "", done()}});
  std::vector<answer_to<transaction_reply>> many(20);
  for (auto& a : many) store.commit(putting("k", "1"), a.taker());
  for (auto& a : many) EXPECT_EQ(a.get().how, verdict::ok);
  EXPECT_EQ(first.asked("Authenticate"), 1u);
  first.answers("Txn", {{16, "etcdserver: invalid auth token", {}}, {0, "", done()}});
  EXPECT_EQ(commit(store, putting("k", "1")).how, verdict::ok);
  EXPECT_EQ(first.tokens_of("Txn").back(), "two");
  first.answers("Txn", {{16, "etcdserver: invalid auth token", {}}});
  const auto r = commit(store, putting("k", "1"));
  EXPECT_EQ(r.how, verdict::refused);
  EXPECT_THAT(r.text, HasSubstr("invalid auth token"));
  EXPECT_EQ(first.asked("Txn"), 24u);
  EXPECT_EQ(first.asked("Authenticate"), 3u);
}

// The bug: a token that cannot be a header ends the program.
TEST_F(answers, a_bad_token_is_none) {
  etcd_options o = both();
  o.user = "u";
  o.password = "p";
  o.endpoints.pop_back();
  for (const std::string& bad :
       {token("a\nb"), token(""), token(std::string("a\0b", 3)), std::string{"\xff\xff"}}) {
    etcd_store store{o};
    first.answers("Authenticate", {{0, "", bad}});
    const auto r = commit(store, putting("k", "1"));
    EXPECT_EQ(r.how, verdict::unknown);
    EXPECT_THAT(r.text, HasSubstr("token"));
  }
  EXPECT_EQ(asked(), 0u);
}

// The bug: what an answer lacks is made up.
TEST_F(answers, bad_answers_are_one_line_and_nothing_is_believed) {
  etcd_store store{both()};
  settle(store);
  wire::transaction_response headless;
  ASSERT_TRUE(headless.ParseFromString(done()));
  headless.clear_head();
  for (const std::string& bad :
       {std::string{}, std::string{"\xff\xff\xff"}, done(0), done(2), headless.SerializeAsString()}) {
    first.answers("Txn", {{0, "", bad}});
    transaction t;
    t.then = {range{.key = "k"}};
    const auto r = commit(store, t);
    EXPECT_TRUE(r.found.empty());
    EXPECT_TRUE(r.how == verdict::ok || !r.text.empty());
  }
  for (const std::string& bad : {std::string{}, std::string{"\xff"}, lease(0)}) {
    first.answers("LeaseGrant", {{0, "", bad}});
    EXPECT_NE(grant(store, second).how, verdict::ok);
  }
  first.answers("LeaseKeepAlive", {{0, "", {}}});
  EXPECT_NE(keep_alive(store, 7).how, verdict::ok);
  first.answers("Watch", {{0, "", "\xff"}});
  answer_to<watch_end> ended;
  store.watch("k", 1, ended.taker());
  EXPECT_EQ(ended.get(), watch_end::broken);
}

// The bug: a lock waits for ever for an answer that says nothing; or is held for it.
TEST_F(answers, a_lock_is_refused_in_one_line_by_a_server_that_leaves_fields_out) {
  etcd_store store{both()};
  settle(store);
  first.answers("LeaseGrant", {{0, "", lease(7)}});
  first.answers("Txn", {{0, "", {}}, {0, "", done(0)}});
  first.answers("LeaseRevoke", {{0, "", revoked()}});
  session here{store};
  here.require_lease(20s);
  mortise::cluster::mutex m{here, "jobs"};
  try {
    m.lock();
    ADD_FAILURE() << "is held";
  } catch (const refused_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("lacks a field"));
  }
}

}  // namespace
