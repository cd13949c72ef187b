#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "server.hpp"

namespace cluster_test {

// The server in real time: a thread delivers what was asked for and answered, after `one_way` each.
class memory_store final : public store {
 public:
  explicit memory_store(std::chrono::nanoseconds one_way = std::chrono::microseconds{100});
  memory_store(const memory_store&) = delete;
  memory_store& operator=(const memory_store&) = delete;
  ~memory_store();

  void grant(nanos ttl, completion<lease_reply> done) override;
  void keep_alive(lease_id lease, completion<lease_reply> done) override;
  void revoke(lease_id lease, completion<reply> done) override;
  void commit(transaction what, completion<transaction_reply> done) override;
  std::uint64_t watch(std::string key, revision from, completion<watch_end> done) override;
  void forget(std::uint64_t watch) override;

  // Under the server's lock.
  template <class F>
  auto look(F f) {
    const std::lock_guard hold{m_guard};
    return f(m_server);
  }
  std::atomic<bool> ends_leases{true};  // false: they go on though their time is over
  std::atomic<bool> keeps_alive{true};  // false: renewals are not answered
  std::atomic<int> lose_replies{
      0};  // so many of the next transactions' that change a value: done, and answered `unknown`
  std::atomic<int> lose_requests{0};  // likewise, not done
  std::atomic<int> refuse{0};         // so many of the next transactions are refused
  std::atomic<std::uint64_t> transactions{0};

 private:
  void serve();
  void at(nanos when, std::function<void()> what);  // under m_guard
  template <class Reply>
  void send(std::function<Reply()> does, completion<Reply> done);

  struct watching {
    std::string key;
    completion<watch_end> done;
  };
  const nanos m_one_way;
  std::mutex m_guard;
  std::condition_variable m_changed;
  std::multimap<nanos, std::function<void()>> m_due;
  std::map<std::uint64_t, watching> m_watches;
  std::uint64_t m_last_watch = 0;
  server m_server;
  bool m_ending = false;
  std::thread m_thread;
};

}  // namespace cluster_test
