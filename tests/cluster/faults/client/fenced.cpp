// What is under test: cluster::guarded.

#include <map>
#include <mutex>

#include <mortise/cluster/errors.hpp>
#include <mortise/cluster/etcd/store.hpp>
#include <mortise/cluster/guarded.hpp>
#include <mortise/cluster/json/codec.hpp>
#include <mortise/cluster/session.hpp>

#include "arm.hpp"
#include "cluster_options.hpp"

namespace faults {
namespace {

class fenced final : public arm {
 public:
  explicit fenced(const settings& s)
      : m_store{store_options(s, "fenced/")}, m_session{m_store, session_options(s)} {}

  result add(const std::string& key, std::int64_t element) override {
    try {
      const std::size_t before = named(key).update([element](list& l) {
        l.push_back(element);
        in_the_middle();
        return l.size() - 1;
      });
      return {ending::ok, static_cast<std::int64_t>(before)};
    } catch (const mortise::cluster::lost_error&) {
      return {ending::lost};
    } catch (const mortise::cluster::unknown_error&) {
      return {ending::unknown};
    }
  }

  result read(const std::string& key) override {
    return {ending::ok, 0, named(key).read([](const list& l) { return l; })};
  }

  std::string counted() const override {
    mortise::cluster::numbers sum;
    for (const auto& [key, value] : m_values) {
      const mortise::cluster::numbers n = value->counted();
      sum.tenures += n.tenures;
      sum.commits += n.commits;
      sum.updates += n.updates;
      sum.lost += n.lost;
      sum.unknown += n.unknown;
      sum.resolved_applied += n.resolved_applied;
      sum.resolved_not_applied += n.resolved_not_applied;
      sum.unresolved += n.unresolved;
    }
    const auto text = [](const char* what, std::uint64_t n) { return std::string{what} + std::to_string(n); };
    return text("tenures ", sum.tenures) + text(", commits ", sum.commits) + text(", updates ", sum.updates) +
           text(", tenures lost ", sum.lost) + text(", without an answer ", sum.unknown) +
           text(": applied ", sum.resolved_applied) + text(", not applied ", sum.resolved_not_applied) +
           text(", unresolved ", sum.unresolved);
  }

 private:
  using guarded_list = mortise::cluster::guarded<list>;

  guarded_list& named(const std::string& key) {
    const std::lock_guard hold{m_guard};
    std::unique_ptr<guarded_list>& v = m_values[key];
    if (!v) v = std::make_unique<guarded_list>(m_session, key);
    return *v;
  }

  mortise::cluster::etcd_store m_store;
  mortise::cluster::session m_session;
  std::mutex m_guard;
  std::map<std::string, std::unique_ptr<guarded_list>> m_values;
};

}  // namespace

std::unique_ptr<arm> make_fenced(const settings& s) { return std::make_unique<fenced>(s); }

}  // namespace faults
