#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "server.hpp"

namespace cluster_test {

// Small and the same everywhere: a seed means the same schedule with any standard library.
class dice {
 public:
  explicit dice(std::uint64_t seed) noexcept : m_state{seed * 0x9e3779b97f4a7c15 + 0x1234567} {
    next(), next();
  }
  std::uint64_t next() noexcept {
    std::uint64_t z = m_state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) noexcept { return next() % n; }
  bool chance(double p) noexcept { return p > 0 && static_cast<double>(next() >> 11) * 0x1.0p-53 < p; }
  nanos between(nanos from, nanos to) noexcept {
    return from + static_cast<nanos>(below(static_cast<std::uint64_t>(to - from) + 1));
  }

 private:
  std::uint64_t m_state;
};

inline constexpr nanos ms = 1'000'000;

// What happens when, in simulated time. Events of one time come in the order in which they were made.
class timeline {
 public:
  nanos now() const noexcept { return m_now; }
  void at(nanos when, std::function<void()> what) {
    m_heap.push_back({std::max(when, m_now), ++m_made, std::move(what)});
    std::push_heap(m_heap.begin(), m_heap.end(), later);
  }
  bool step() {
    if (m_heap.empty()) return false;
    std::pop_heap(m_heap.begin(), m_heap.end(), later);
    const event e = std::move(m_heap.back());
    m_heap.pop_back();
    m_now = e.when;
    ++m_done;
    e.what();
    return true;
  }
  nanos next() const noexcept { return m_heap.empty() ? mortise::never : m_heap.front().when; }
  std::uint64_t done() const noexcept { return m_done; }

 private:
  struct event {
    nanos when;
    std::uint64_t made;
    std::function<void()> what;
  };
  static bool later(const event& a, const event& b) noexcept {
    return a.when != b.when ? a.when > b.when : a.made > b.made;
  }
  std::vector<event> m_heap;
  nanos m_now = 0;
  std::uint64_t m_made = 0, m_done = 0;
};

// How likely what goes wrong; all of it ends at `until`, so that whoever hangs later hangs by his own fault.
struct faults {
  double lost_request = 0, lost_reply = 0, late_request = 0, late_reply = 0, double_reply = 0, refused = 0,
         behind = 0, broken_watch = 0;
  nanos until = 0;
};

// The store of cluster/store.hpp on a server and a timeline: every request and every reply goes its own way.
class simulated_store final : public store {
 public:
  static constexpr nanos timeout = 1000 * ms;

  simulated_store(server& s, timeline& t, dice& d, faults f)
      : m_server{s}, m_time{t}, m_dice{d}, m_faults{f} {
    m_server.after_erase = [this](const std::string& key, revision at) { erased(key, at); };
  }
  simulated_store(const simulated_store&) = delete;
  simulated_store& operator=(const simulated_store&) = delete;

  void grant(nanos ttl, completion<lease_reply> done) override {
    send<lease_reply>([this, ttl] { return m_server.grant(ttl, m_time.now()); }, std::move(done));
  }
  void keep_alive(lease_id lease, completion<lease_reply> done) override {
    send<lease_reply>([this, lease] { return m_server.keep_alive(lease, m_time.now()); }, std::move(done));
  }
  void revoke(lease_id lease, completion<reply> done) override {
    send<reply>(
        [this, lease] {
          m_server.revoke(lease);
          return reply{verdict::ok, false, {}};
        },
        std::move(done));
  }
  void commit(transaction what, completion<transaction_reply> done) override {
    const bool ranges_alone = std::all_of(what.then.begin(), what.then.end(), [](const operation& o) {
      return std::holds_alternative<range>(o);
    });
    send<transaction_reply>(
        [this, ranges_alone, t = std::move(what)] {
          if (ranges_alone && strikes(m_faults.behind)) return m_server.apply_behind(t);
          return m_server.apply(t);
        },
        std::move(done));
  }
  std::uint64_t watch(std::string key, revision from, completion<watch_end> done) override {
    const std::uint64_t id = ++m_last_watch;
    m_time.at(m_time.now() + way(), [this, id, from, key = std::move(key), done = std::move(done)]() mutable {
      if (m_server.erased(key) >= from) return tell(done, watch_end::erased);
      if (strikes(m_faults.broken_watch))
        m_time.at(m_time.now() + m_dice.between(ms, 3 * timeout),
                  [this, id] { end_watch(id, watch_end::broken); });
      m_watches.emplace(id, watching{std::move(key), std::move(done)});
    });
    return id;
  }
  void forget(std::uint64_t id) override { m_watches.erase(id); }

 private:
  struct watching {
    std::string key;
    completion<watch_end> done;
  };

  bool strikes(double p) { return m_time.now() < m_faults.until && m_dice.chance(p); }
  nanos way() { return m_dice.between(ms / 5, 4 * ms); }
  nanos long_way() { return m_dice.between(timeout / 2, 8 * timeout); }

  template <class Reply>
  void send(std::function<Reply()> does, completion<Reply> done) {
    const nanos sent = m_time.now();
    // The one that is called first counts as the answer; the caller's numbers sort out the others.
    m_time.at(sent + timeout, [done] {
      Reply r;
      r.text = "no answer in time";
      done(r);
    });
    if (strikes(m_faults.refused)) {
      m_time.at(sent + way(), [done] {
        Reply r;
        r.how = verdict::refused;
        r.text = "too many requests";
        done(r);
      });
      return;
    }
    if (strikes(m_faults.lost_request)) return;
    const nanos arrives = sent + (strikes(m_faults.late_request) ? long_way() : way());
    m_time.at(arrives, [this, does = std::move(does), done = std::move(done)] {
      m_server.end_leases_until(m_time.now());
      const Reply r = does();
      if (strikes(m_faults.lost_reply)) return;
      const int times = strikes(m_faults.double_reply) ? 2 : 1;
      for (int i = 0; i < times; ++i) {
        m_time.at(m_time.now() + (strikes(m_faults.late_reply) ? long_way() : way()), [done, r] { done(r); });
      }
    });
  }

  void tell(const completion<watch_end>& done, watch_end how) {
    m_time.at(m_time.now() + way(), [done, how] { done(how); });
  }
  void end_watch(std::uint64_t id, watch_end how) {
    const auto it = m_watches.find(id);
    if (it == m_watches.end()) return;
    tell(it->second.done, how);
    m_watches.erase(it);
  }
  void erased(const std::string& key, revision) {
    for (auto it = m_watches.begin(); it != m_watches.end();) {
      if (it->second.key == key) {
        tell(it->second.done, watch_end::erased);
        it = m_watches.erase(it);
      } else {
        ++it;
      }
    }
  }

  server& m_server;
  timeline& m_time;
  dice& m_dice;
  faults m_faults;
  std::map<std::uint64_t, watching> m_watches;
  std::uint64_t m_last_watch = 0;
};

}  // namespace cluster_test
