#pragma once

// A private etcd for a test, and its store's requests as calls that return their answer.

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <app/cluster/private_etcd.hpp>
#include <mortise/cluster/etcd/store.hpp>

namespace cluster_test {

using namespace mortise::cluster;
using mortise::nanos;
using mortise::app::private_etcd;
using namespace std::chrono_literals;
constexpr nanos second = 1'000'000'000;

// What a completion was called with, and how often.
template <class Reply>
class answer_to {
 public:
  completion<Reply> taker() {
    return [s = m_state](const Reply& r) {
      const std::lock_guard hold{s->guard};
      s->reply = r;
      ++s->times;
      s->changed.notify_all();
    };
  }
  bool comes_within(std::chrono::nanoseconds d) const {
    std::unique_lock hold{m_state->guard};
    return m_state->changed.wait_for(hold, d, [&] { return m_state->times != 0; });
  }
  Reply get(std::chrono::nanoseconds d = std::chrono::seconds{20}) const {
    if (!comes_within(d)) ADD_FAILURE() << "no completion was called";
    const std::lock_guard hold{m_state->guard};
    return m_state->reply.value_or(Reply{});
  }
  int times() const {
    const std::lock_guard hold{m_state->guard};
    return m_state->times;
  }

 private:
  struct state {
    std::mutex guard;
    std::condition_variable changed;
    std::optional<Reply> reply;
    int times = 0;
  };
  std::shared_ptr<state> m_state = std::make_shared<state>();
};

inline lease_reply grant(store& s, nanos ttl) {
  answer_to<lease_reply> a;
  s.grant(ttl, a.taker());
  return a.get();
}
inline lease_reply keep_alive(store& s, lease_id lease) {
  answer_to<lease_reply> a;
  s.keep_alive(lease, a.taker());
  return a.get();
}
inline reply revoke(store& s, lease_id lease) {
  answer_to<reply> a;
  s.revoke(lease, a.taker());
  return a.get();
}
inline transaction_reply commit(store& s, transaction t) {
  answer_to<transaction_reply> a;
  s.commit(std::move(t), a.taker());
  return a.get();
}

inline transaction putting(std::string key, std::string value, lease_id lease = 0) {
  transaction t;
  t.then = {put{std::move(key), std::move(value), lease}};
  return t;
}
inline transaction erasing(std::string key) {
  transaction t;
  t.then = {erase{std::move(key)}};
  return t;
}
// Goes through consensus.
inline transaction reading(std::string key) {
  transaction t;
  t.then = {erase{key + "//n"}, range{.key = key}};
  return t;
}

inline void eventually(const auto& holds, std::chrono::milliseconds within = std::chrono::seconds{10}) {
  const auto until = std::chrono::steady_clock::now() + within;
  while (!holds() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  EXPECT_TRUE(holds());
}

// What all that need one begin with.
class with_etcd : public testing::Test {
 protected:
  void SetUp() override {
    auto o = server_options();
    if (const char* other = std::getenv("MORTISE_ETCD"))
      o.program = other;  // another version than the installed one
    if (!private_etcd::is_installed(o.program)) GTEST_SKIP() << "etcd is not installed";
    m_server.emplace(o);
  }
  virtual private_etcd::options server_options() { return {}; }
  private_etcd& server() { return *m_server; }
  etcd_options where(std::string prefix = "t/") const {
    // A busy machine is no fault of the store's.
    return {.endpoints = {m_server->endpoint()}, .prefix = std::move(prefix), .answer_within = 20s};
  }
  // With what etcd brings along for people; `flags` come before.
  bool etcdctl(const std::string& words, const std::string& flags = "") const {
    const std::string line = "ETCDCTL_API=3 etcdctl --endpoints=" + m_server->endpoint() + " " + flags + " " +
                             words + " >>" + m_server->directory() + "/etcdctl.log 2>&1";
    return std::system(line.c_str()) == 0;
  }

 private:
  std::optional<private_etcd> m_server;
};

}  // namespace cluster_test
