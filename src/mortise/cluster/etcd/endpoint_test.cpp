#include <mortise/cluster/etcd/endpoint.hpp>

#include <gmock/gmock.h>

#include <chrono>
#include <stdexcept>
#include <string>

namespace {

using mortise::cluster::etcd_options;
using mortise::cluster::etcd::checked_endpoints;
using mortise::cluster::etcd::parse_endpoint;
using testing::HasSubstr;

std::string complaint(const auto& f) {
  try {
    f();
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "none";
}

TEST(endpoint, names_and_addresses) {
  EXPECT_EQ(parse_endpoint("http://127.0.0.1:2379").target, "ipv4:127.0.0.1:2379");
  EXPECT_EQ(parse_endpoint("http://[::1]:2379").target, "ipv6:[::1]:2379");
  EXPECT_EQ(parse_endpoint("https://etcd-1.example.org:80").target, "dns:///etcd-1.example.org:80");
  EXPECT_FALSE(parse_endpoint("http://h:1").is_tls);
  EXPECT_TRUE(parse_endpoint("https://h:1/").is_tls);
}

// The bug: what is no endpoint is tried, and fails in the words of somebody else.
TEST(endpoint, what_is_none_is_refused_in_one_line_that_says_what_is_allowed) {
  for (const char* bad : {"",
                          "127.0.0.1:2379",
                          "ftp://h:1",
                          "http://",
                          "http://h",
                          "http://h:",
                          "http://h:0",
                          "http://h:65536",
                          "http://h:1x",
                          "http://:1",
                          "http://h h:1",
                          "http://[::1]",
                          "http://[::1:1",
                          "http://[1.2.3.4]:1",
                          "http://::1:1",
                          "http://u@h:1",
                          "http://h:1/path",
                          "http://h:-1",
                          "http://h:+1",
                          "http://-h:1",
                          "http://h:99999999999999999999",
                          "http://h\n:1"}) {
    const std::string said = complaint([&] { parse_endpoint(bad); });
    EXPECT_THAT(said, HasSubstr("http://HOST:PORT")) << bad;
    EXPECT_EQ(said.find('\n'), std::string::npos) << bad;
  }
}

TEST(endpoint, options_that_do_not_go_together_are_refused) {
  using namespace std::chrono_literals;
  const auto said = [](auto change) {
    etcd_options o;
    change(o);
    return complaint([&] { checked_endpoints(o); });
  };
  EXPECT_EQ(said([](etcd_options&) {}), "none");
  EXPECT_THAT(said([](auto& o) { o.endpoints.clear(); }), HasSubstr("1 to 64"));
  EXPECT_THAT(said([](auto& o) { o.endpoints.push_back("https://h:1"); }), HasSubstr("all http:// or all"));
  EXPECT_THAT(said([](auto& o) { o.ca_file = "x"; }), HasSubstr("https://"));
  EXPECT_THAT(said([](auto& o) { o.user = "x"; }), HasSubstr("password"));
  EXPECT_THAT(said([](auto& o) { o.password = "x"; }), HasSubstr("user"));
  EXPECT_THAT(said([](auto& o) { o.prefix.assign(257, 'x'); }), HasSubstr("256"));
  EXPECT_THAT(said([](auto& o) { o.answer_within = 0ns; }), HasSubstr("10 ms to 10 min"));
  EXPECT_THAT(said([](auto& o) {
                o.endpoints = {"https://h:1"};
                o.key_file = "x";
              }),
              HasSubstr("go together"));
}

}  // namespace
