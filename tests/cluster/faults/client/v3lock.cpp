// The control arm that uses etcd's own lock service as its documentation has it: a lease, Lock, the work, Unlock.

#include <atomic>
#include <mutex>
#include <thread>

#include "arm.hpp"
#include "plain_etcd.hpp"

namespace faults {
namespace {

using namespace std::chrono_literals;

// A lease that is renewed by a thread of its own, three times in its time. When it is over there is another one.
class kept_lease {
 public:
  kept_lease(plain_etcd& store, std::chrono::milliseconds ttl)
      : m_store{store}, m_ttl{ttl}, m_thread{[this](std::stop_token s) { keep(s); }} {}

  std::int64_t id() const { return m_id; }
  void renounce() { m_unwanted = true; }  // what is held or waited for with it ends; the next one is another

 private:
  void keep(std::stop_token s) {
    while (!s.stop_requested()) {
      if (m_unwanted.exchange(false) && m_id != 0) {
        m_store.revoke(m_id);
        m_id = 0;
      }
      if (m_id == 0)
        m_id = m_store.grant(m_ttl);
      else if (!m_store.keep_alive(m_id) && !m_store.keep_alive(m_id))
        m_id = 0;
      for (auto slept = 0ms; slept < m_ttl / 3 && !s.stop_requested() && !m_unwanted && m_id != 0;
           slept += 20ms)
        std::this_thread::sleep_for(20ms);
      if (m_id == 0) std::this_thread::sleep_for(50ms);
    }
    if (m_id != 0) m_store.revoke(m_id);
  }

  plain_etcd& m_store;
  const std::chrono::milliseconds m_ttl;
  std::atomic<std::int64_t> m_id{0};
  std::atomic<bool> m_unwanted{false};
  std::jthread m_thread;
};

class v3lock final : public arm {
 public:
  explicit v3lock(const settings& s) : m_store{s.endpoints}, m_lease{m_store, s.lease_ttl} {}

  result add(const std::string& key, std::int64_t element) override {
    const std::lock_guard alone{m_local};  // two tasks with one lease would both hold the lock
    const std::int64_t lease = m_lease.id();
    if (lease == 0) {
      std::this_thread::sleep_for(50ms);
      return {ending::failed};
    }
    const std::optional<std::string> held = m_store.lock("v3lock/lock/" + key, lease, 5s);
    if (!held) {
      m_lease.renounce();
      std::this_thread::sleep_for(50ms);
      return {ending::failed};
    }
    const result r = m_store.get_and_put("v3lock/" + key, element);
    m_store.unlock(*held);
    return r;
  }

  result read(const std::string& key) override { return m_store.read("v3lock/" + key); }

 private:
  plain_etcd m_store;
  std::mutex m_local;
  kept_lease m_lease;
};

}  // namespace

std::unique_ptr<arm> make_v3lock(const settings& s) { return std::make_unique<v3lock>(s); }

}  // namespace faults
