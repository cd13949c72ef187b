#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/cluster/boot_clock.hpp>
#include <mortise/cluster/lease_keeper.hpp>
#include <mortise/cluster/lock_book.hpp>
#include <mortise/cluster/session.hpp>
#include <mortise/cluster/store.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// Told on the renewing thread or on one of the store's, without a lock of the session: to be brief.
class lease_listener {
 public:
  virtual void lease_changed(lease_id before, lease_id now) = 0;

 protected:
  ~lease_listener() = default;
};

// What a session is behind its face: its two threads, and what they share with the locks. Locks of this may be taken under one of theirs, never
// the other way round.
class session_core : public std::enable_shared_from_this<session_core> {
 public:
  session_core(store& s, const session_options& o);

  void start();
  void end();  // joins the threads, and gives the lease back

  store& where() const noexcept { return m_store; }
  const session_options& options() const noexcept { return m_options; }

  lease_id lease() const;
  bool is_good(lease_id lease) const;
  nanos good_until() const;
  std::string trouble() const;
  lease_numbers counted() const;
  lock_book& locks() noexcept { return m_locks; }
  std::uint64_t serial() noexcept;

  void gone(lease_id lease);     // a transaction was refused for it
  void doubted(lease_id lease);  // a key of it is gone
  MORTISE_API void listen(std::weak_ptr<lease_listener> who);

  // Calls `what` at this time by the boot clock, on the renewing thread. Not at all if the session ends before.
  void at(nanos when, std::function<void()> what);

  // A stop that is requested when the lease is not good any more; by its number it is forgotten, or requested at once.
  std::uint64_t warn(lease_id lease, std::stop_source whom);
  void forget_warning(std::uint64_t number);
  void warn_now(std::uint64_t number);

 private:
  struct warning {
    lease_id lease;
    std::stop_source whom;
    bool at_once = false;
  };
  void renew();
  void announce();
  void send(const lease_keeper::what_next& next);
  template <class Change>
  void changing(Change change);

  store& m_store;
  const session_options m_options;
  mutable os_mutex m_guard;
  lease_keeper m_keeper;
  std::multimap<nanos, std::function<void()>> m_timers;
  std::map<std::uint64_t, warning> m_warnings;
  std::vector<std::weak_ptr<lease_listener>> m_listeners;
  lock_book m_locks;
  std::uint64_t m_serial = 0;
  bool m_ending = false;
  boot_alarm m_renewal, m_announcement;
  os_thread m_renewer, m_announcer;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
