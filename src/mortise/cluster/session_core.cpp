#include <mortise/cluster/session_core.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace mortise::inline MORTISE_ABI::cluster {

namespace {

lease_keeper::terms terms_of(const session_options& o) {
  const nanos ttl = o.lease_ttl.count();
  return {ttl, o.drift_margin.count() != 0 ? o.drift_margin.count() : ttl / 10,
          std::min<nanos>(ttl / 10, 500'000'000)};
}

}  // namespace

session_core::session_core(store& s, const session_options& o)
    : m_store{s}, m_options{o}, m_keeper{terms_of(o)} {}

void session_core::start() {
  m_renewer = os_thread{[this] { renew(); }};
  try {
    m_announcer = os_thread{[this] { announce(); }};
  } catch (...) {
    end();
    throw;
  }
  name_thread(m_renewer, "mortise-lease");
  name_thread(m_announcer, "mortise-lost");
}

void session_core::end() {
  {
    const std::lock_guard hold{m_guard};
    m_ending = true;
  }
  m_renewal.ring();
  m_announcement.ring();
  if (m_renewer.joinable()) m_renewer.join();
  if (m_announcer.joinable()) m_announcer.join();
  std::multimap<nanos, std::function<void()>> not_done;  // they may keep others alive, and those us
  lease_id mine = 0;
  {
    const std::lock_guard hold{m_guard};
    not_done.swap(m_timers);
    mine = m_keeper.lease();
  }
  if (mine == 0) return;
  struct waiting {
    std::mutex guard;
    std::condition_variable changed;
    bool answered = false;
  };
  const auto w = std::make_shared<waiting>();
  m_store.revoke(mine, [w](const reply&) {
    const std::lock_guard hold{w->guard};
    w->answered = true;
    w->changed.notify_all();
  });
  std::unique_lock hold{w->guard};
  w->changed.wait_for(hold, m_options.answer_within, [&] { return w->answered; });
}

// The renewing thread: asks the keeper what is due, and does what was put off until now.
void session_core::renew() {
  for (;;) {
    lease_keeper::what_next next;
    std::vector<std::function<void()>> due;
    nanos wakes = never;
    {
      const std::lock_guard hold{m_guard};
      if (m_ending) return;
      const nanos now = boot_now();
      next = m_keeper.at(now);
      wakes = m_keeper.wakes_at();
      while (!m_timers.empty() && m_timers.begin()->first <= now) {
        due.push_back(std::move(m_timers.begin()->second));
        m_timers.erase(m_timers.begin());
      }
      if (!m_timers.empty()) wakes = std::min(wakes, m_timers.begin()->first);
    }
    if (next.what != lease_keeper::order::nothing) send(next);
    for (const auto& what : due) what();
    if (due.empty() && next.what == lease_keeper::order::nothing) m_renewal.sleep_until(wakes);
  }
}

void session_core::send(const lease_keeper::what_next& next) {
  const std::weak_ptr<session_core> me = weak_from_this();
  if (next.what == lease_keeper::order::grant) {
    m_store.grant(m_options.lease_ttl.count(), [me, n = next.number](const lease_reply& r) {
      if (const auto self = me.lock()) self->changing([&](nanos now) { self->m_keeper.granted(n, r, now); });
    });
  } else {
    m_store.keep_alive(next.lease, [me, n = next.number](const lease_reply& r) {
      if (const auto self = me.lock()) self->changing([&](nanos now) { self->m_keeper.kept(n, r, now); });
    });
  }
}

// Whatever may change the lease, and telling of it.
template <class Change>
void session_core::changing(Change change) {
  lease_id before = 0, after = 0;
  std::vector<std::weak_ptr<lease_listener>> told;
  {
    const std::lock_guard hold{m_guard};
    before = m_keeper.lease();
    change(boot_now());
    after = m_keeper.lease();
    if (before != after) {
      std::erase_if(m_listeners, [](const auto& w) { return w.expired(); });
      told = m_listeners;
    }
  }
  m_renewal.ring();
  if (before != 0 && before != after) m_announcement.ring();
  for (const auto& w : told) {
    if (const auto who = w.lock()) who->lease_changed(before, after);
  }
}

lease_id session_core::lease() const {
  const std::lock_guard hold{m_guard};
  return m_keeper.lease();
}

bool session_core::is_good(lease_id lease) const {
  const std::lock_guard hold{m_guard};
  return lease == m_keeper.lease() && m_keeper.is_good(boot_now());
}

nanos session_core::good_until() const {
  const std::lock_guard hold{m_guard};
  return m_keeper.lease() == 0 ? 0 : m_keeper.good_until();
}

std::string session_core::trouble() const {
  const std::lock_guard hold{m_guard};
  return m_keeper.trouble();
}

lease_numbers session_core::counted() const {
  const std::lock_guard hold{m_guard};
  return m_keeper.counted(boot_now());
}

std::uint64_t session_core::serial() noexcept {
  const std::lock_guard hold{m_guard};
  return ++m_serial;
}

void session_core::gone(lease_id lease) {
  // Elsewhere: whoever tells may hold a lock of his own.
  at(0, [this, lease] { changing([&](nanos now) { m_keeper.gone(lease, now); }); });
}

void session_core::doubted(lease_id lease) {
  at(0, [this, lease] { changing([&](nanos now) { m_keeper.doubted(lease, now); }); });
}

void session_core::listen(std::weak_ptr<lease_listener> who) {
  const std::lock_guard hold{m_guard};
  m_listeners.push_back(std::move(who));
}

void session_core::at(nanos when, std::function<void()> what) {
  bool first = false;
  {
    const std::lock_guard hold{m_guard};
    if (m_ending) return;
    first = m_timers.empty() || when < m_timers.begin()->first;
    m_timers.emplace(when, std::move(what));
  }
  if (first) m_renewal.ring();
}

std::uint64_t session_core::warn(lease_id lease, std::stop_source whom) {
  std::uint64_t number = 0;
  {
    const std::lock_guard hold{m_guard};
    number = ++m_serial;
    m_warnings.emplace(number, warning{lease, std::move(whom)});
  }
  m_announcement.ring();
  return number;
}

void session_core::forget_warning(std::uint64_t number) {
  const std::lock_guard hold{m_guard};
  m_warnings.erase(number);
}

void session_core::warn_now(std::uint64_t number) {
  {
    const std::lock_guard hold{m_guard};
    const auto it = m_warnings.find(number);
    if (it == m_warnings.end()) return;
    it->second.at_once = true;
  }
  m_announcement.ring();
}

// The thread that requests stops, and so runs what others have hung on them.
void session_core::announce() {
  for (;;) {
    std::vector<std::stop_source> due;
    nanos wakes = never;
    {
      const std::lock_guard hold{m_guard};
      if (m_ending) return;
      const bool good = m_keeper.is_good(boot_now());
      for (auto it = m_warnings.begin(); it != m_warnings.end();) {
        if (!good || it->second.at_once || it->second.lease != m_keeper.lease()) {
          due.push_back(std::move(it->second.whom));
          it = m_warnings.erase(it);
        } else {
          ++it;
        }
      }
      if (!m_warnings.empty()) wakes = m_keeper.good_until();
    }
    for (std::stop_source& s : due) s.request_stop();
    if (due.empty()) m_announcement.sleep_until(wakes);
  }
}

}  // namespace mortise::inline MORTISE_ABI::cluster
