#include <mortise/cluster/session.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include <mortise/cluster/errors.hpp>
#include <mortise/cluster/session_core.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

namespace {

using namespace std::chrono_literals;

void check(const session_options& o) {
  if (o.lease_ttl < 100ms || o.lease_ttl > 1h)
    throw std::invalid_argument{"a session's lease_ttl is 100 ms to 1 h"};
  if (o.drift_margin < 0ns || o.drift_margin >= o.lease_ttl / 2)
    throw std::invalid_argument{"a session's drift_margin is 0 to half of its lease_ttl"};
  if (o.answer_within <= 0ns || o.resolve_within <= 0ns)
    throw std::invalid_argument{"a session's answer_within and resolve_within are above 0"};
}

// Wakes whoever waits for a first lease.
struct first_lease final : lease_listener {
  std::mutex guard;
  std::condition_variable changed;
  void lease_changed(lease_id, lease_id) override {
    const std::lock_guard hold{guard};
    changed.notify_all();
  }
};

}  // namespace

session::session(store& s, session_options o) {
  check(o);
  m_core = std::make_shared<session_core>(s, o);
  m_core->start();
}

session::~session() { m_core->end(); }

void session::require_lease(std::chrono::nanoseconds d) const {
  const auto first = std::make_shared<first_lease>();
  m_core->listen(first);
  std::unique_lock hold{first->guard};
  if (first->changed.wait_for(hold, d, [&] { return m_core->lease() != 0; })) return;
  const std::string why = m_core->trouble();
  throw refused_error{"no lease: " + (why.empty() ? std::string{"the store has not answered"} : why)};
}

session_numbers session::counted() const { return {m_core->counted(), m_core->locks().all()}; }

std::chrono::nanoseconds session::good_for() const {
  return std::chrono::nanoseconds{std::max<nanos>(0, m_core->good_until() - boot_now())};
}

}  // namespace mortise::inline MORTISE_ABI::cluster
