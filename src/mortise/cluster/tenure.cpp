#include <mortise/cluster/tenure.hpp>

#include <algorithm>
#include <utility>

namespace mortise::inline MORTISE_ABI::cluster {

tenure::tenure(place where, revision fence_changed, patience p)
    : m_place{std::move(where)}, m_patience{p}, m_fence{fence_changed} {}

request tenure::begin(nanos) { return again(); }

request tenure::answered(std::uint64_t number, const transaction_reply& r, nanos now) {
  if (number != m_number) return {};
  if (r.how != verdict::unknown) m_pause = 0;
  switch (m_stage) {
    case stage::asks: return answer_to_ask(r, now);
    case stage::looks: return answer_to_look(r, now);
    case stage::commits: return answer_to_commit(r, now);
    case stage::resolves: return answer_to_resolve(r, now);
    case stage::leaves: return answer_to_leave(r, now);
    case stage::waits:
    case stage::holds:
    case stage::over: break;
  }
  return {};
}

request tenure::answer_to_ask(const transaction_reply& r, nanos now) {
  if (r.how == verdict::unknown) {
    m_ambiguous = true;  // I3
    return after_pause(now);
  }
  if (r.how == verdict::refused) {
    m_text = r.text;
    m_lease_refused = r.no_such_lease;
    // Nor can an earlier one be done: the lease that it names does not exist.
    if (r.no_such_lease) return finish(ending::lost);
    return end(ending::refused, r.text);
  }
  if (r.found.size() < 2 && !(r.succeeded && m_place.value.empty() && !r.found.empty()))
    return end(ending::refused, "an answer that lacks a field");
  if (!r.succeeded) {
    const auto& me = r.found[0];
    const auto& fence = r.found[1];
    if (!me.empty()) {  // an earlier one was done after all
      m_token = me[0].created;
      return look();
    }
    const revision changed = fence.empty() ? 0 : fence[0].changed;
    if (std::exchange(m_fence, changed) == changed) return after_pause(now);
    return again();
  }
  const auto& newest = r.found[0];
  if (newest.empty() || newest[0].key != m_place.me)
    return end(ending::refused, "an answer that lacks a field");
  m_token = newest[0].created;
  if (!m_place.value.empty() && !see(r.found[1])) return end(ending::refused, m_text);
  if (newest.size() == 1) return hold();
  return wait_for(newest[1].key, r.at + 1);
}

request tenure::answer_to_look(const transaction_reply& r, nanos now) {
  if (r.how == verdict::refused) return end(ending::refused, r.text);
  if (r.how == verdict::unknown) return after_pause(now);
  if (r.found.size() < (m_place.value.empty() ? 2u : 3u))
    return end(ending::refused, "an answer that lacks a field");
  // A server that has not come to my revision yet may not know of those before me.
  if (r.at < m_token) return after_pause(now);
  if (r.found[0].empty() || r.found[0][0].created != m_token) {
    if (m_ambiguous || !r.found[0].empty()) return end(ending::lost);
    return finish(ending::lost);
  }
  if (!m_place.value.empty() && !see(r.found[2])) return end(ending::refused, m_text);
  if (r.found[1].empty()) return hold();  // I1
  return wait_for(r.found[1][0].key, r.at + 1);
}

request tenure::answer_to_commit(const transaction_reply& r, nanos now) {
  // Nor does it say that it was not done if it lacks a field.
  if (r.how == verdict::unknown || (r.how == verdict::ok && r.at <= 0)) return resolve(now);
  if (r.how == verdict::refused) {
    m_text = r.text;
    if (r.no_such_lease) {  // the fence's
      m_result = result::lost;
      return finish(ending::lost);
    }
    m_result = result::refused;
    return hold();
  }
  if (r.succeeded) {
    m_result = result::applied;
    m_seen = std::move(m_next);
    m_seen_changed = r.at;
    if (m_mine == key::is_kept) return hold();
    if (m_ambiguous) m_fence = r.at;
    return finish(ending::gave_back);
  }
  if (r.found.size() < 2) {
    m_result = result::refused;
    return end(ending::refused, "an answer that lacks a field");
  }
  if (r.found[0].empty() || r.found[0][0].created != m_token) {
    m_result = result::lost;
    if (m_ambiguous || !r.found[0].empty()) return end(ending::lost);
    return finish(ending::lost);
  }
  if (!see(r.found[1])) {
    m_result = result::refused;
    return end(ending::refused, m_text);
  }
  m_result = result::stale;
  return hold();
}

request tenure::resolve(nanos now) {
  m_stage = stage::resolves;
  m_resolved = true;
  m_resolves_until = now + m_patience.resolving;
  return again();
}

request tenure::answer_to_resolve(const transaction_reply& r, nanos now) {
  if (r.how == verdict::ok && !r.found.empty()) {
    if (m_ambiguous) m_fence = r.at;
    m_result = applied_or_not(r.found[0]);
    if (m_result == result::applied) m_seen = std::move(m_next);
    return finish(ending::gave_back);
  }
  if (r.no_such_lease) {  // the fence's, which is not needed then
    m_ambiguous = false;
    return again();
  }
  if (r.how == verdict::unknown && now < m_resolves_until) return after_pause(now);
  m_text = r.text;
  m_result = result::unknown;
  m_ending = ending::lost;
  m_stage = stage::leaves;
  return after_pause(now);
}

tenure::result tenure::applied_or_not(const std::vector<key_value>& value) const {
  const revision changed = value.empty() ? 0 : value[0].changed;
  if (changed == m_seen_changed) return result::not_applied;
  const std::optional<record> there = value.empty() ? std::nullopt : record::parse(value[0].value);
  if (!there) return result::unknown;
  switch (there->contains(m_next.last.back(), m_next.count)) {
    case record::answer::yes: return result::applied;
    case record::answer::no: return result::not_applied;
    case record::answer::cannot_tell: break;
  }
  return result::unknown;
}

request tenure::answer_to_leave(const transaction_reply& r, nanos now) {
  if (r.how == verdict::ok) {
    if (m_ambiguous) m_fence = r.at;
    return finish(m_ending);
  }
  if (r.no_such_lease || m_lease_gone) return finish(m_ending);
  return after_pause(now);
}

request tenure::watch_ended(std::uint64_t number, watch_end how, nanos now) {
  if (number != m_number || m_stage != stage::waits) return {};
  if (how == watch_end::erased) return look();
  m_stage = stage::looks;
  return after_pause(now);
}

request tenure::pause_over(std::uint64_t number, nanos) { return number == m_number ? again() : request{}; }

request tenure::commit(std::string bytes, key mine, nanos) {
  m_mine = mine;
  m_result = result::none;
  m_resolved = false;
  m_next = m_seen.with({token(), ++m_op}, std::move(bytes));
  m_stage = stage::commits;
  return send(change(m_place, m_token, m_seen_changed, m_next.text(), mine, needed()));
}

request tenure::leave(nanos) {
  if (m_stage == stage::leaves || m_stage == stage::over) return {};
  if (m_stage == stage::asks) m_ambiguous = true;  // I3
  return end(ending::gave_back);
}

request tenure::lease_is_gone(nanos) {
  m_lease_gone = true;
  m_ambiguous = false;  // what names it is refused from now on
  switch (m_stage) {
    case stage::asks:
    case stage::looks:
    case stage::waits: return end(ending::lost);
    default: return {};  // only the compare of a commit proves anything
  }
}

request tenure::again() {
  switch (m_stage) {
    case stage::asks: return send(ask_for(m_place, m_fence));
    case stage::looks: return send(look_before(m_place, m_token));
    case stage::resolves:
    case stage::leaves: return send(give_back(m_place, needed()));
    default: return {};
  }
}

request tenure::send(transaction t) { return {++m_number, std::move(t)}; }

request tenure::after_pause(nanos now) {
  m_pause = m_pause == 0 ? m_patience.first_pause : std::min(2 * m_pause, m_patience.longest_pause);
  return {++m_number, pause_until{now + m_pause}};
}

request tenure::look() {
  m_stage = stage::looks;
  return again();
}

request tenure::wait_for(const std::string& predecessor, revision from) {
  m_stage = stage::waits;
  return {++m_number, watch_request{predecessor, from}};
}

request tenure::hold() {
  m_stage = stage::holds;
  return {++m_number, std::monostate{}};
}

request tenure::end(ending how, std::string text) {
  m_ending = how;
  if (!text.empty()) m_text = std::move(text);
  m_stage = stage::leaves;
  return again();
}

request tenure::finish(ending how) {
  m_ending = how;
  m_stage = stage::over;
  return {++m_number, std::monostate{}};
}

bool tenure::see(const std::vector<key_value>& value) {
  if (value.empty()) {
    m_seen = {};
    m_seen_changed = 0;
    return true;
  }
  std::optional<record> r = record::parse(value[0].value);
  if (!r) {
    m_text = "the value under '" + m_place.value + "' was not written by mortise";
    return false;
  }
  m_seen = *std::move(r);
  m_seen_changed = value[0].changed;
  return true;
}

}  // namespace mortise::inline MORTISE_ABI::cluster
