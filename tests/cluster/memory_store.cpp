#include "memory_store.hpp"

#include <algorithm>
#include <utility>

namespace cluster_test {

namespace {
bool takes_one(std::atomic<int>& n) {
  int had = n.load();
  while (had > 0 && !n.compare_exchange_weak(had, had - 1)) {}
  return had > 0;
}
bool changes_a_value(const transaction& t) {
  for (const operation& o : t.then) {
    const put* p = std::get_if<put>(&o);
    if (p != nullptr && p->key.ends_with("//v")) return true;
  }
  return false;
}
}  // namespace

memory_store::memory_store(std::chrono::nanoseconds one_way) : m_one_way{one_way.count()} {
  m_server.after_erase = [this](const std::string& key, revision) {
    for (auto it = m_watches.begin(); it != m_watches.end();) {
      if (it->second.key != key) {
        ++it;
        continue;
      }
      at(mortise::now_ns() + m_one_way, [done = std::move(it->second.done)] { done(watch_end::erased); });
      it = m_watches.erase(it);
    }
  };
  m_thread = std::thread{[this] { serve(); }};
}

memory_store::~memory_store() {
  {
    const std::lock_guard hold{m_guard};
    m_ending = true;
  }
  m_changed.notify_all();
  m_thread.join();
}

void memory_store::serve() {
  std::unique_lock hold{m_guard};
  while (!m_ending) {
    const nanos now = mortise::now_ns();
    if (!m_due.empty() && m_due.begin()->first <= now) {
      auto what = std::move(m_due.begin()->second);
      m_due.erase(m_due.begin());
      hold.unlock();
      what();
      what = nullptr;  // what it holds on to may need other locks to go
      hold.lock();
      continue;
    }
    if (ends_leases) m_server.end_leases_until(now);
    const nanos until = m_due.empty() ? now + 5'000'000 : std::min(now + 5'000'000, m_due.begin()->first);
    m_changed.wait_until(hold, std::chrono::steady_clock::time_point{std::chrono::nanoseconds{until}});
  }
}

void memory_store::at(nanos when, std::function<void()> what) {
  m_due.emplace(when, std::move(what));
  m_changed.notify_all();
}

template <class Reply>
void memory_store::send(std::function<Reply()> does, completion<Reply> done) {
  const std::lock_guard hold{m_guard};
  at(mortise::now_ns() + m_one_way, [this, does = std::move(does), done = std::move(done)] {
    const std::lock_guard inside{m_guard};
    at(mortise::now_ns() + m_one_way, [done, r = does()] { done(r); });
  });
}

void memory_store::grant(nanos ttl, completion<lease_reply> done) {
  send<lease_reply>([this, ttl] { return m_server.grant(ttl, mortise::now_ns()); }, std::move(done));
}

void memory_store::keep_alive(lease_id lease, completion<lease_reply> done) {
  send<lease_reply>(
      [this, lease] {
        if (!keeps_alive) return lease_reply{};
        return m_server.keep_alive(lease, mortise::now_ns());
      },
      std::move(done));
}

void memory_store::revoke(lease_id lease, completion<reply> done) {
  send<reply>(
      [this, lease] {
        m_server.revoke(lease);
        return reply{verdict::ok, false, {}};
      },
      std::move(done));
}

void memory_store::commit(transaction what, completion<transaction_reply> done) {
  send<transaction_reply>(
      [this, t = std::move(what)]() -> transaction_reply {
        ++transactions;
        if (takes_one(refuse)) {
          transaction_reply r;
          r.how = verdict::refused;
          r.text = "permission denied";
          return r;
        }
        if (changes_a_value(t)) {
          if (takes_one(lose_requests)) return {};
          if (takes_one(lose_replies)) {
            m_server.apply(t);
            return {};
          }
        }
        return m_server.apply(t);
      },
      std::move(done));
}

std::uint64_t memory_store::watch(std::string key, revision from, completion<watch_end> done) {
  const std::lock_guard hold{m_guard};
  const std::uint64_t id = ++m_last_watch;
  at(mortise::now_ns() + m_one_way, [this, id, from, key = std::move(key), done = std::move(done)] {
    const std::lock_guard inside{m_guard};
    if (m_server.erased(key) >= from) {
      at(mortise::now_ns() + m_one_way, [done] { done(watch_end::erased); });
    } else {
      m_watches.emplace(id, watching{key, done});
    }
  });
  return id;
}

void memory_store::forget(std::uint64_t watch) {
  const std::lock_guard hold{m_guard};
  m_watches.erase(watch);
}

}  // namespace cluster_test
