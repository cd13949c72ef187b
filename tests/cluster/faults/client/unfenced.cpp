// The control arm that uses our lock and writes without its fence: mutual exclusion alone is not enough.

#include <map>
#include <mutex>

#include <mortise/cluster/etcd/store.hpp>
#include <mortise/cluster/mutex.hpp>
#include <mortise/cluster/session.hpp>

#include "arm.hpp"
#include "cluster_options.hpp"
#include "plain_etcd.hpp"

namespace faults {
namespace {

class unfenced final : public arm {
 public:
  explicit unfenced(const settings& s)
      : m_plain{s.endpoints},
        m_store{store_options(s, "unfenced/")},
        m_session{m_store, session_options(s)} {}

  result add(const std::string& key, std::int64_t element) override {
    const std::lock_guard hold{named(key)};
    return m_plain.get_and_put("unfenced/" + key, element);
  }

  result read(const std::string& key) override { return m_plain.read("unfenced/" + key); }

 private:
  mortise::cluster::mutex& named(const std::string& key) {
    const std::lock_guard hold{m_guard};
    auto& m = m_mutexes[key];
    if (!m) m = std::make_unique<mortise::cluster::mutex>(m_session, key);
    return *m;
  }

  plain_etcd m_plain;
  mortise::cluster::etcd_store m_store;
  mortise::cluster::session m_session;
  std::mutex m_guard;
  std::map<std::string, std::unique_ptr<mortise::cluster::mutex>> m_mutexes;
};

}  // namespace

std::unique_ptr<arm> make_unfenced(const settings& s) { return std::make_unique<unfenced>(s); }

}  // namespace faults
