#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <app/run/process_tasks.hpp>
#include <app/run/shared_value.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/cluster/answer.hpp>
#include <mortise/cluster/errors.hpp>
#include <mortise/cluster/guarded.hpp>
#include <mortise/cluster/json/codec.hpp>
#include <mortise/cluster/numbers.hpp>
#include <mortise/cluster/record.hpp>
#include <mortise/cluster/session.hpp>
#include <mortise/task/task.hpp>
#include <mortise/wait/waiting.hpp>

// What the processes of a run at cluster scope share: the seed's map in the store, guarded or, as the control, not. Both as process_tasks.hpp
// wants them.
namespace app {

using cluster_state = run_state_with<std::map<int, int>>;

inline void to_json(nlohmann::json& j, const cluster_state& s) {
  j = {{"map", s.map}, {"writes", s.writes}, {"token", s.token}, {"checksum", s.checksum}};
}
inline void from_json(const nlohmann::json& j, cluster_state& s) {
  j.at("map").get_to(s.map);
  j.at("writes").get_to(s.writes);
  j.at("token").get_to(s.token);
  j.at("checksum").get_to(s.checksum);
}

namespace cluster {

namespace mc = mortise::cluster;

// What tasks were told of their updates besides that they were applied.
struct told {
  mortise::atomic<std::uint64_t> lost{0}, unknown{0};  // relaxed: counts
};

class guarded_value {
 public:
  guarded_value(mc::session& here, const std::string& name, told& t)
      : m_value{here, name, cluster_state::empty()}, m_told{t} {}

  template <class F>
  int read(F f) const {
    return m_value.read(f);
  }
  // Whether it was applied.
  template <class F>
  bool update(F f) {
    const auto r = m_value.try_update([&](cluster_state& s) { f(s, mortise::shm::tenure{}); });
    return noted(r.how);
  }
  template <class F>
  auto async_read(F f) const {
    return m_value.async_read(std::move(f));
  }
  template <class F>
  mortise::task<bool> async_update(F f) {
    const auto change = [&f](cluster_state& s) { f(s, mortise::shm::tenure{}); };
    const auto r = co_await m_value.async_update_or_stop({}, change);
    co_return noted(r.how);
  }
  mc::numbers counted() const { return m_value.counted(); }

 private:
  bool noted(mortise::outcome how) {
    if (how == mortise::outcome::lost) m_told.lost.fetch_add(1, mortise::memory_order_relaxed);
    if (how == mortise::outcome::unknown) m_told.unknown.fetch_add(1, mortise::memory_order_relaxed);
    return how == mortise::outcome::acquired;
  }
  mc::guarded<cluster_state> m_value;
  told& m_told;
};

// The control: reads it, changes it, puts it back, as one would without a lock. Each by itself is all or nothing; together they lose updates.
class unfenced_value {
 public:
  unfenced_value(mc::session& here, const std::string& name, told&) : m_session{here}, m_names{name} {}

  template <class F>
  int read(F f) const {
    return f(decoded(*wait_for(mc::read_confirmed(m_names))));
  }
  template <class F>
  bool update(F f) {
    cluster_state s = decoded(*wait_for(mc::read_confirmed(m_names)));
    f(s, mortise::shm::tenure{});
    static_cast<void>(wait_for(put_back(s)));
    return true;
  }
  template <class F>
  mortise::task<int> async_read(F f) const {
    const auto a = asked(mc::read_confirmed(m_names));
    co_await arrival{a};
    co_return f(decoded(*a));
  }
  template <class F>
  mortise::task<bool> async_update(F f) {
    const auto a = asked(mc::read_confirmed(m_names));
    co_await arrival{a};
    cluster_state s = decoded(*a);
    f(s, mortise::shm::tenure{});
    const auto done = asked(put_back(s));
    co_await arrival{done};
    co_return true;
  }
  mc::numbers counted() const { return {}; }

 private:
  using waited = std::shared_ptr<mc::answer>;
  struct arrival : mortise::wait::async_wait<mc::answer::arrival> {
    explicit arrival(waited a) : async_wait{mc::answer::arrival{std::move(a)}, nullptr} {}
    void await_resume() const noexcept {}
  };

  waited asked(mc::transaction t) const {
    return std::make_shared<mc::answer>(m_session.core(), std::move(t));
  }
  waited wait_for(mc::transaction t) const {
    waited a = asked(std::move(t));
    static_cast<void>(mortise::wait::wait_for(mc::answer::arrival{a}, mortise::wait::bound{mortise::never}));
    return a;
  }
  cluster_state decoded(const mc::answer& a) const {
    const auto& found = a.value(m_names.name());
    if (found.empty()) return cluster_state::empty();
    return mc::codec<cluster_state>::decode(mc::record::parse(found[0].value).value().bytes);
  }
  // As guarded keeps it; read again, since an answer has something found in it.
  mc::transaction put_back(const cluster_state& s) const {
    mc::transaction t;
    t.then.emplace_back(mc::put{
        m_names.value(), mc::record{}.with({1, s.writes}, mc::codec<cluster_state>::encode(s)).text(), 0});
    t.then.emplace_back(mc::range{m_names.value()});
    return t;
  }

  mc::session& m_session;
  const mc::lock_names m_names;
};

}  // namespace cluster

template <>
inline constexpr bool runs_alone<cluster::guarded_value> = false;
template <>
inline constexpr bool runs_alone<cluster::unfenced_value> = false;

}  // namespace app
