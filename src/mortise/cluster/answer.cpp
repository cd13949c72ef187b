#include <mortise/cluster/answer.hpp>

#include <mutex>
#include <utility>

#include <mortise/base/age_clock.hpp>
#include <mortise/cluster/boot_clock.hpp>
#include <mortise/cluster/errors.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

namespace {
constexpr nanos pause = 50'000'000;
}

void answer::ask() {
  m_session->where().commit(m_what,
                            [self = shared_from_this()](const transaction_reply& r) { self->answered(r); });
}

void answer::answered(const transaction_reply& r) {
  wait::parker* who = nullptr;
  {
    const std::lock_guard hold{m_guard};
    if (m_has_come || m_given_up) return;
    if (r.how != verdict::unknown) {
      m_reply = r;
      m_has_come = true;
      who = m_who;
    }
  }
  if (who != nullptr) who->unpark();
  if (r.how == verdict::unknown)
    m_session->at(boot_now() + pause, [self = shared_from_this()] { self->ask(); });
}

bool answer::claim(wait::waiter& n) noexcept {
  const std::lock_guard hold{m_guard};
  if (m_has_come) {
    n.since = 0;
    return true;
  }
  if (!std::exchange(m_asked, true)) ask();
  m_who = n.who;
  n.since = age_clock_now();
  return false;
}

void answer::leave(wait::waiter& n) noexcept {
  const std::lock_guard hold{m_guard};
  m_given_up = true;
  m_who = nullptr;
  n.since = 0;
}

const std::vector<key_value>& answer::value(const std::string& name) const {
  if (m_reply.how == verdict::refused) throw refused_error{"cluster value '" + name + "': " + m_reply.text};
  if (m_reply.found.empty())
    throw refused_error{"cluster value '" + name + "': an answer that lacks a field"};
  return m_reply.found[0];
}

}  // namespace mortise::inline MORTISE_ABI::cluster
