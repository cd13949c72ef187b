// etcd with users, and with certificates: what they refuse is told in one line, and a role that may use one prefix is enough. Each case opens with
// the bug that it would show.
#include <gmock/gmock.h>

#include <fstream>
#include <thread>

#include <mortise/cluster/errors.hpp>
#include <mortise/cluster/guarded.hpp>
#include <mortise/cluster/json/codec.hpp>
#include <mortise/cluster/mutex.hpp>
#include <mortise/cluster/session.hpp>

#include "stage.hpp"

namespace {

using namespace cluster_test;
using testing::HasSubstr;

// An etcd that knows root, and `worker`, who may read and write what begins with t/.
class users_on_etcd : public with_etcd {
 protected:
  private_etcd::options server_options() override {
    private_etcd::options o;
    o.extra = {"--auth-token-ttl=1"};
    return o;
  }
  void SetUp() override {
    with_etcd::SetUp();
    if (IsSkipped()) return;
    for (const char* words :
         {"user add root:secret", "role add root", "user grant-role root root", "user add worker:sesame",
          "role add work", "role grant-permission work readwrite --prefix=true t/",
          "user grant-role worker work", "auth enable"})
      ASSERT_TRUE(etcdctl(words)) << words;
  }
  bool as_root(const std::string& words) { return etcdctl(words, "--user=root:secret"); }
  etcd_options as(std::string user, std::string password) {
    etcd_options o = where();
    o.user = std::move(user);
    o.password = std::move(password);
    return o;
  }
};

// The bug: some part of the protocol uses keys outside the prefix, or asks for more than a role has.
TEST_F(users_on_etcd, a_role_limited_to_the_prefix_suffices) {
  etcd_store store{as("worker", "sesame")}, other{as("worker", "sesame")};
  session here{store}, there{other};
  here.require_lease(20s);
  mortise::cluster::mutex m{here, "jobs"}, theirs{there, "jobs"};
  m.lock();
  std::jthread waits{[&] { const std::lock_guard hold{theirs}; }};
  std::this_thread::sleep_for(50ms);
  m.unlock();
  waits.join();
  guarded<int> g{here, "n"};
  g.update([](int& n) { ++n; });
  EXPECT_EQ(g.read([](int n) { return n; }), 1);
  EXPECT_EQ(g.read_stale([](int n) { return n; }), 1);
  EXPECT_EQ(store.counted().authentications, 1u);
}

// The bug: what is not allowed is tried again for ever, or fails without a reason.
TEST_F(users_on_etcd, what_a_user_may_not_do_is_refused_by_name) {
  etcd_options outside = as("worker", "sesame");
  outside.prefix = "u/";
  etcd_store store{outside};
  const auto r = commit(store, putting("k", "1"));
  EXPECT_EQ(r.how, verdict::refused);
  EXPECT_THAT(r.text, HasSubstr("permission denied"));
  answer_to<watch_end> ended;
  store.watch("k", 1, ended.taker());
  EXPECT_EQ(ended.get(), watch_end::broken);
  session here{store};
  guarded<int> g{here, "n"};
  try {
    g.update([](int& n) { ++n; });
    ADD_FAILURE() << "was done";
  } catch (const refused_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("permission denied"));
  }
}

TEST_F(users_on_etcd, a_wrong_password_is_named) {
  etcd_store wrong{as("worker", "open")}, nobody{as("nobody", "open")}, unnamed{where()};
  for (store* s : {static_cast<store*>(&wrong), static_cast<store*>(&nobody)}) {
    const auto r = commit(*s, putting("k", "1"));
    EXPECT_EQ(r.how, verdict::refused);
    EXPECT_THAT(r.text, HasSubstr("authentication failed, invalid user ID or password"));
  }
  const auto r = commit(unnamed, putting("k", "1"));
  EXPECT_EQ(r.how, verdict::refused);
  EXPECT_THAT(r.text, HasSubstr("user name is empty"));
  session here{wrong};
  try {
    here.require_lease(1s);
    ADD_FAILURE() << "there is a lease";
  } catch (const refused_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("authentication failed"));
  }
}

// The bug: a token that is not good any more fails requests that another one would let through.
TEST_F(users_on_etcd, a_token_is_renewed) {
  etcd_store store{as("worker", "sesame")};
  ASSERT_EQ(commit(store, putting("k", "1")).how, verdict::ok);
  std::this_thread::sleep_for(4s);  // the server forgets tokens that nobody has used for 1 s
  EXPECT_EQ(commit(store, putting("k", "2")).how, verdict::ok);
  EXPECT_EQ(store.counted().authentications, 2u);
  EXPECT_EQ(store.counted().requests, 5u) << "two, one of them twice, and two for tokens";
  // Any change of users makes what was asked for under the state before it invalid.
  ASSERT_TRUE(as_root("role add another"));
  EXPECT_EQ(commit(store, putting("k", "3")).how, verdict::ok);
}

// The bug: a stream lives longer than the token it was opened with, and no watch can be had any more.
TEST_F(users_on_etcd, watches_get_a_new_token_too) {
  etcd_store store{as("worker", "sesame")};
  const auto watched = [&] {
    commit(store, putting("k", "1"));
    answer_to<watch_end> ended;
    const auto id = store.watch("k", 1, ended.taker());
    const bool was_made = !ended.comes_within(200ms);
    store.forget(id);
    return was_made;
  };
  EXPECT_TRUE(watched());
  std::this_thread::sleep_for(4s);
  eventually(watched);
  commit(store, putting("k", "1"));
  answer_to<watch_end> ended;
  store.watch("k", 1, ended.taker());
  commit(store, erasing("k"));
  EXPECT_EQ(ended.get(), watch_end::erased);
}

// The bug: somebody who was thrown out goes on.
TEST_F(users_on_etcd, a_revoked_user_is_told) {
  etcd_store store{as("worker", "sesame")};
  ASSERT_EQ(commit(store, putting("k", "1")).how, verdict::ok);
  ASSERT_TRUE(as_root("user delete worker"));
  const auto r = commit(store, putting("k", "2"));
  EXPECT_EQ(r.how, verdict::refused);
  EXPECT_THAT(r.text, HasSubstr("authentication failed, invalid user ID or password"));
}

// The bug: a password for a server that asks for none keeps everybody out, or one that begins to ask keeps out who has one.
TEST_F(users_on_etcd, users_are_switched_off_and_on) {
  ASSERT_TRUE(as_root("auth disable"));
  etcd_store store{as("worker", "sesame")};
  EXPECT_EQ(commit(store, putting("k", "1")).how, verdict::ok);
  ASSERT_TRUE(etcdctl("auth enable"));
  EXPECT_EQ(commit(store, putting("k", "2")).how, verdict::ok);
}

// An authority of our own, a certificate for 127.0.0.1, and one for a client.
class certificates_on_etcd : public with_etcd {
 protected:
  private_etcd::options server_options() override {
    std::string name = (std::filesystem::temp_directory_path() / "mortise-certificates-XXXXXX").string();
    m_folder = ::mkdtemp(name.data());
    authority("ca");
    authority("other-ca");
    sign("server", "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth");
    sign("elsewhere", "subjectAltName=IP:127.0.0.2\nextendedKeyUsage=serverAuth,clientAuth");
    sign("client", "extendedKeyUsage=clientAuth");
    private_etcd::options o;
    o.certificate_file = file(m_served + ".pem");
    o.key_file = file(m_served + ".key");
    o.client_ca_file = file("ca.pem");
    return o;
  }
  void TearDown() override {
    if (!m_folder.empty()) std::filesystem::remove_all(m_folder);
  }
  std::string file(const std::string& name) const { return m_folder + "/" + name; }
  etcd_options with(const std::string& ca, const std::string& certificate) {
    etcd_options o = where();
    o.answer_within = 5s;
    o.ca_file = file(ca + ".pem");
    if (!certificate.empty()) {
      o.certificate_file = file(certificate + ".pem");
      o.key_file = file(certificate + ".key");
    }
    return o;
  }
  std::string m_served = "server";

 private:
  void openssl(const std::string& words) {
    ASSERT_EQ(std::system(("cd " + m_folder + " && openssl " + words + " >>openssl.log 2>&1").c_str()), 0)
        << words;
  }
  void authority(const std::string& name) {
    openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + name +
            " -keyout " + name + ".key -out " + name + ".pem");
  }
  void sign(const std::string& name, const std::string& extensions) {
    std::ofstream{file(name + ".ext")} << extensions << '\n';
    openssl("req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name + " -keyout " + name +
            ".key -out " + name + ".csr");
    openssl("x509 -req -days 2 -in " + name + ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile " +
            name + ".ext -out " + name + ".pem");
  }
  std::string m_folder;
};

class certificate_of_another : public certificates_on_etcd {
 protected:
  certificate_of_another() { m_served = "elsewhere"; }
};

TEST_F(certificates_on_etcd, both_sides_know_each_other) {
  etcd_store store{with("ca", "client")};
  session here{store};
  guarded<int> g{here, "n"};
  g.update([](int& n) { ++n; });
  EXPECT_EQ(g.read([](int n) { return n; }), 1);
}

// The bug: anybody's certificate will do; or the reason is not told.
TEST_F(certificates_on_etcd, who_is_not_known_is_refused_by_name) {
  etcd_store wrong{with("other-ca", "client")}, none{with("ca", "")};
  const auto r = commit(wrong, putting("k", "1"));
  EXPECT_EQ(r.how, verdict::unknown);
  EXPECT_THAT(r.text, HasSubstr("not of an authority in ca_file"));
  const auto without = commit(none, putting("k", "1"));
  EXPECT_EQ(without.how, verdict::unknown);
  EXPECT_THAT(without.text, HasSubstr("client certificate"));
  etcd_options plain = where();
  plain.endpoints[0].erase(4, 1);
  plain.answer_within = 2s;
  etcd_store in_the_clear{plain};
  EXPECT_THAT(commit(in_the_clear, putting("k", "1")).text, HasSubstr("https://"));
}

TEST_F(certificate_of_another, is_refused) {
  etcd_store store{with("ca", "client")};
  const auto r = commit(store, putting("k", "1"));
  EXPECT_EQ(r.how, verdict::unknown);
  EXPECT_THAT(r.text, HasSubstr("is not in peer certificate"));
}

TEST(certificates, files_that_are_not_there_are_named) {
  etcd_options o{.endpoints = {"https://127.0.0.1:1"}, .ca_file = "/no/such/file.pem"};
  try {
    etcd_store store{o};
    ADD_FAILURE() << "was made";
  } catch (const std::system_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("/no/such/file.pem"));
    EXPECT_THAT(e.what(), HasSubstr("No such file"));
  }
}

}  // namespace
