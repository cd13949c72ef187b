#include <mortise/cluster/etcd/verdicts.hpp>

#include <gtest/gtest.h>

#include <string>

namespace {

using mortise::cluster::verdict;
using mortise::cluster::etcd::judge;
using mortise::cluster::etcd::line_of;

// The bug: what may have been done is called refused, and a change is lost or done twice.
TEST(verdicts, what_may_have_been_done_is_unknown) {
  struct status {
    int code;
    const char* text;
  };
  for (const status s : {status{1, ""},
                         {2, "anything"},
                         {4, "Deadline Exceeded"},
                         {10, "aborted"},
                         {13, "internal"},
                         {14, "Socket closed"},
                         {14, "etcdserver: request timed out"},
                         {14, "etcdserver: request timed out, possibly due to connection lost"},
                         {14, "etcdserver: leader changed"},
                         {14, "etcdserver: server stopped"},
                         {14, "GOAWAY received"},
                         {8, "etcdserver: mvcc: database space exceeded"},
                         {8, "Received message larger than max (5 vs. 4)"},
                         {17, "a code to come"},
                         {-1, ""}}) {
    EXPECT_EQ(judge(s.code, s.text).how, verdict::unknown) << s.code << s.text;
    EXPECT_FALSE(judge(s.code, s.text).surely_not_done) << s.code << s.text;
  }
}

// The bug: what will never be done is asked for again and again.
TEST(verdicts, what_etcd_will_not_do_is_refused) {
  struct status {
    int code;
    const char* text;
  };
  for (const status s : {status{7, "etcdserver: permission denied"},
                         {3, "etcdserver: request is too large"},
                         {3, "etcdserver: authentication failed, invalid user ID or password"},
                         {9, "etcdserver: user name not found"},
                         {11, "etcdserver: mvcc: required revision is a future revision"},
                         {12, "unknown service etcdserverpb.KV"},
                         {15, "etcdserver: corrupt cluster"},
                         {8, "grpc: received message larger than max (2 vs. 1)"}}) {
    EXPECT_EQ(judge(s.code, s.text).how, verdict::refused) << s.code << s.text;
    EXPECT_TRUE(judge(s.code, s.text).surely_not_done);
    EXPECT_FALSE(judge(s.code, s.text).no_such_lease);
  }
  EXPECT_TRUE(judge(5, "etcdserver: requested lease not found").no_such_lease);
  EXPECT_FALSE(judge(5, "something else").no_such_lease);
}

// The bug: a request that has reached a server is sent to the next one.
TEST(verdicts, only_what_surely_was_not_done_is_sent_again) {
  for (const char* text : {"failed to connect to all addresses; last error: refused", "etcdserver: no leader",
                           "etcdserver: rpc not supported for learner"}) {
    EXPECT_TRUE(judge(14, text).surely_not_done) << text;
    EXPECT_TRUE(judge(14, text).elsewhere) << text;
    EXPECT_EQ(judge(14, text).how, verdict::unknown) << "it may be done later";
  }
  EXPECT_TRUE(judge(2, "raft proposal dropped").surely_not_done);
  EXPECT_TRUE(judge(2, "etcdserver: too many requests").surely_not_done);
  EXPECT_TRUE(judge(16, "etcdserver: invalid auth token").needs_token);
  EXPECT_TRUE(judge(3, "etcdserver: user name is empty").needs_token);
  EXPECT_TRUE(judge(3, "etcdserver: revision of auth store is old").needs_token);
  EXPECT_FALSE(judge(14, "Socket closed").surely_not_done);
}

TEST(verdicts, one_line_for_people) {
  EXPECT_EQ(line_of("http://h:1", 7, "etcdserver: permission denied"),
            "etcd at http://h:1: permission denied");
  EXPECT_EQ(line_of("http://h:1", 14, "a\nb\tc"), "etcd at http://h:1: a b c");
  EXPECT_EQ(line_of("http://h:1", 14, ""), "etcd at http://h:1: no answer, status 14");
  EXPECT_EQ(
      line_of("http://h:1", 14,
              "failed to connect to all addresses; last error: UNKNOWN: ipv4:1.2.3.4:1: Connection refused"),
      "etcd at http://h:1: cannot connect: Connection refused");
  EXPECT_EQ(line_of("http://h:1", 14, "failed to connect to all addresses"),
            "etcd at http://h:1: cannot connect: failed to connect to all addresses");
  EXPECT_LT(line_of("http://h:1", 14, std::string(10000, 'x')).size(), 600u);
}

}  // namespace
