#include <mortise/cluster/etcd/messages.hpp>

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include <mortise/cluster/etcd/verdicts.hpp>

#include "wire.pb.h"

namespace mortise::inline MORTISE_ABI::cluster::etcd {

namespace {

namespace wire = mortise_etcd_wire;
constexpr nanos second = 1'000'000'000;
constexpr const char* not_etcds = "an answer that is not etcd's";

template <class Message>
bool parse(Message& m, std::string_view bytes) {
  return bytes.size() <= INT32_MAX && m.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

template <class Reply>
Reply unknown(std::string text) {
  Reply r;
  r.how = verdict::unknown;
  r.text = std::move(text);
  return r;
}

// The first key behind all that begin with `prefix`; "\0", which etcd takes for the end, if there is none.
std::string end_of(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (prefix.empty()) return std::string(1, '\0');
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

void write(const operation& o, bool may_be_stale, const std::string& prefix, wire::operation& to) {
  if (const auto* p = std::get_if<put>(&o)) {
    auto& m = *to.mutable_put();
    m.set_key(prefix + p->key);
    m.set_value(p->value);
    m.set_lease(p->lease);
  } else if (const auto* e = std::get_if<erase>(&o)) {
    to.mutable_erase()->set_key(prefix + e->key);
  } else {
    const auto& r = std::get<range>(o);
    auto& m = *to.mutable_range();
    m.set_key(prefix + r.key);
    m.set_limit(r.most);
    m.set_serializable(may_be_stale);
    m.set_max_create_revision(r.created_until);
    if (!r.prefix) return;
    m.set_range_end(end_of(prefix + r.key));
    m.set_sort_order(wire::range_request::DESCEND);
    m.set_sort_target(wire::range_request::CREATE);
  }
}

bool take_off(const std::string& prefix, std::string& key) {
  if (!key.starts_with(prefix)) return false;
  key.erase(0, prefix.size());
  return true;
}

bool read(wire::operation_response& from, const operation& asked, const std::string& prefix,
          std::vector<std::vector<key_value>>& found) {
  if (std::holds_alternative<put>(asked)) return from.has_put();
  if (std::holds_alternative<erase>(asked)) return from.has_erase();
  if (!from.has_range()) return false;
  std::vector<key_value> all;
  for (auto& kv : *from.mutable_range()->mutable_kvs()) {
    if (!take_off(prefix, *kv.mutable_key()) || kv.create_revision() <= 0 || kv.mod_revision() <= 0)
      return false;
    all.push_back({std::move(*kv.mutable_key()), std::move(*kv.mutable_value()), kv.create_revision(),
                   kv.mod_revision()});
  }
  found.push_back(std::move(all));
  return true;
}

}  // namespace

std::string grant_request(nanos ttl) {
  wire::grant_request m;
  m.set_ttl(std::max<nanos>(1, (ttl + second - 1) / second));
  return m.SerializeAsString();
}

std::string lease_request(lease_id lease) {
  wire::lease_request m;
  m.set_id(lease);
  return m.SerializeAsString();
}

std::string authenticate_request(const std::string& user, const std::string& password) {
  wire::authenticate_request m;
  m.set_name(user);
  m.set_password(password);
  return m.SerializeAsString();
}

std::string transaction_request(const transaction& t, const std::string& prefix) {
  wire::transaction_request m;
  for (const compare& c : t.if_all) {
    auto& to = *m.add_if_all();
    to.set_key(prefix + c.key);
    if (c.what == compare::which::created) {
      to.set_what(wire::comparison::CREATE);
      to.set_create_revision(c.is);
    } else {
      to.set_what(wire::comparison::MOD);
      to.set_mod_revision(c.is);
    }
  }
  for (const operation& o : t.then) write(o, t.may_be_stale, prefix, *m.add_then());
  for (const operation& o : t.otherwise) write(o, t.may_be_stale, prefix, *m.add_otherwise());
  return m.SerializeAsString();
}

std::string watch_request(std::int64_t id, const std::string& key, revision from) {
  wire::watch_request m;
  auto& w = *m.mutable_create();
  w.set_key(key);
  w.set_start_revision(from);
  w.add_filters(wire::watch_create::NOPUT);
  w.set_watch_id(id);
  return m.SerializeAsString();
}

std::string forget_request(std::int64_t id) {
  wire::watch_request m;
  m.mutable_cancel()->set_watch_id(id);
  return m.SerializeAsString();
}

lease_reply grant_reply(std::string_view bytes) {
  wire::grant_response m;
  if (!parse(m, bytes)) return unknown<lease_reply>(not_etcds);
  if (!m.error().empty()) return unknown<lease_reply>(one_line(m.error()));
  if (!m.has_head() || m.id() == 0 || m.ttl() <= 0 || m.ttl() > never / second)
    return unknown<lease_reply>("an answer without a lease");
  lease_reply r;
  r.how = verdict::ok;
  r.lease = m.id();
  r.ttl = m.ttl() * second;
  return r;
}

lease_reply keep_alive_reply(std::string_view bytes, lease_id lease) {
  wire::keep_alive_response m;
  if (!parse(m, bytes) || !m.has_head()) return unknown<lease_reply>(not_etcds);
  if (m.id() != lease) return unknown<lease_reply>("an answer about another lease");
  lease_reply r;
  r.how = verdict::ok;
  r.lease = lease;
  r.ttl = std::clamp<std::int64_t>(m.ttl(), 0, never / second) * second;
  return r;
}

reply revoke_reply(std::string_view bytes) {
  wire::revoke_response m;
  if (!parse(m, bytes) || !m.has_head()) return unknown<reply>(not_etcds);
  return {verdict::ok, false, {}};
}

transaction_reply commit_reply(std::string_view bytes, const transaction& t, const std::string& prefix) {
  wire::transaction_response m;
  if (!parse(m, bytes)) return unknown<transaction_reply>(not_etcds);
  transaction_reply r;
  r.how = verdict::ok;
  r.succeeded = m.succeeded();
  const auto& asked = m.succeeded() ? t.then : t.otherwise;
  if (m.head().revision() <= 0 || static_cast<std::size_t>(m.responses_size()) != asked.size()) return r;
  std::vector<std::vector<key_value>> found;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!read(*m.mutable_responses(static_cast<int>(i)), asked[i], prefix, found)) return r;
  }
  r.at = m.head().revision();
  r.found = std::move(found);
  return r;
}

std::optional<std::string> token_of(std::string_view bytes) {
  wire::authenticate_response m;
  if (!parse(m, bytes) || m.token().empty()) return std::nullopt;
  // It becomes a header, for which gRPC ends the program if it cannot be one.
  const bool is_text =
      std::all_of(m.token().begin(), m.token().end(), [](char c) { return c > ' ' && c <= '~'; });
  return is_text ? std::optional{m.token()} : std::nullopt;
}

std::optional<watch_news> watch_reply(std::string_view bytes) {
  wire::watch_response m;
  if (!parse(m, bytes) || !m.has_head()) return std::nullopt;
  watch_news n;
  n.id = m.watch_id();
  n.is_created = m.created();
  n.has_ended = m.canceled() || m.compact_revision() != 0;
  n.why = one_line(m.cancel_reason());
  for (const auto& e : m.events()) n.was_erased = n.was_erased || e.type() == wire::event::DELETE;
  return n;
}

}  // namespace mortise::inline MORTISE_ABI::cluster::etcd
