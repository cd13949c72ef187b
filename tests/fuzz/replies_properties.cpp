#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <mortise/cluster/etcd/messages.hpp>
#include <mortise/cluster/tenure.hpp>
#include <mortise/cluster/transactions.hpp>

#include "properties.hpp"

namespace fuzz {
namespace {

using namespace mortise::cluster;

// The same bytes, read another way: the fields of one message, as protobuf has them on the wire. Of one that is there twice the last counts,
// but messages are merged.
class message {
 public:
  explicit message(std::string_view bytes) {
    int groups =
        0;  // that these bytes are in; of ours there is none, and what is in one of others is not ours
    while (!bytes.empty()) {
      const auto tag = static_cast<std::uint32_t>(varint(bytes));
      field f{tag >> 3, 0, {}};
      switch (tag & 7) {
        case 0: f.number = varint(bytes); break;
        case 1: f.text = take(bytes, 8); break;
        case 2: f.text = take(bytes, varint(bytes)); break;
        case 3: ++groups; break;
        case 4: --groups; break;
        case 5: f.text = take(bytes, 4); break;
        default: return;
      }
      f.how = tag & 7;
      if (groups == 0) m_all.push_back(f);
    }
  }
  bool has(std::uint64_t id) const { return count(id) != 0; }
  std::size_t count(std::uint64_t id) const {
    return static_cast<std::size_t>(std::count_if(
        m_all.begin(), m_all.end(), [&](const field& f) { return f.how == text && f.id == id; }));
  }
  std::int64_t number(std::uint64_t id) const {
    std::int64_t last = 0;
    for (const field& f : m_all) {
      if (f.how == varints && f.id == id) last = static_cast<std::int64_t>(f.number);
    }
    return last;
  }
  std::int64_t number_in(std::uint64_t part, std::uint64_t id) const {
    std::string merged;
    for (const field& f : m_all) {
      if (f.how == text && f.id == part) merged += f.text;
    }
    return message{merged}.number(id);
  }

 private:
  struct field {
    std::uint64_t id, number;
    std::string_view text;
    std::uint32_t how = 0;
  };
  static constexpr std::uint32_t varints = 0, text = 2;
  static std::uint64_t varint(std::string_view& bytes) {
    std::uint64_t n = 0;
    for (unsigned shift = 0; !bytes.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      if (shift < 64) n |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) break;
    }
    return n;
  }
  static std::string_view take(std::string_view& bytes, std::uint64_t n) {
    const std::string_view first = bytes.substr(0, n);
    bytes.remove_prefix(first.size());
    return first;
  }
  std::vector<field> m_all;
};

constexpr std::uint64_t head = 1;

void is_one_line(std::string_view what) {
  if (std::any_of(what.begin(), what.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }))
    throw broken("what the store says is one line: " + std::string(what));
}
void require(bool holds, const char* property) {
  if (!holds) throw broken(property);
}

const place where{"p//q/", "p//q/7.1", "p//f/7.0", "p//v", 7};
const std::string prefix = "m/";

// Whatever is asked, an answer that is believed has a header, and all parts that were asked for.
transaction_reply commit_properties(std::string_view bytes, const transaction& t) {
  transaction_reply r = etcd::commit_reply(bytes, t, prefix);
  is_one_line(r.text);
  if (r.how != verdict::ok) {
    require(r.how == verdict::unknown && r.found.empty(), "what cannot be read is unknown");
    return r;
  }
  const auto& list = r.succeeded ? t.then : t.otherwise;
  const auto ranges = std::count_if(list.begin(), list.end(),
                                    [](const operation& o) { return std::holds_alternative<range>(o); });
  if (r.at == 0) {
    require(r.found.empty(), "an answer that lacks something has nothing");
    return r;
  }
  const message m{bytes};
  require(m.number_in(head, 3) == r.at && r.at > 0, "the revision is the header's");
  require((m.number(2) != 0) == r.succeeded, "it has succeeded if it says so");
  require(m.count(3) == list.size(), "an answer has a part for each that was asked for");
  require(r.found.size() == static_cast<std::size_t>(ranges), "and keys for each range");
  std::size_t size = 0;
  for (const auto& keys : r.found) {
    for (const key_value& k : keys) {
      require(k.created > 0 && k.changed > 0, "a key has revisions");
      require(bytes.find(prefix + k.key) != bytes.npos, "a key is one with the prefix, in the answer");
      size += k.key.size() + k.value.size();
    }
  }
  require(size <= bytes.size(), "there is no more in it than came");
  return r;
}

// A tenure that is told so holds the lock, or says that its change was done, for a reason.
void tenure_properties(std::string_view bytes) {
  const message m{bytes};
  const bool has_all = m.number_in(head, 3) > 0 && m.number(2) != 0;
  tenure asks{where, 0, {}};
  request r = asks.begin(0);
  r = asks.answered(r.number, commit_properties(bytes, std::get<transaction>(r.what)), 0);
  if (asks.at() == tenure::stage::holds) {
    require(has_all && m.count(3) == 3, "who holds was told so");
    require(asks.token() > 0, "who holds has a token");
  }
  is_one_line(asks.text());

  tenure holds{where, 0, {}};
  r = holds.begin(0);
  transaction_reply mine;
  mine.how = verdict::ok;
  mine.succeeded = true;
  mine.at = 5;
  mine.found = {{{where.me, "", 5, 5}}, {}};
  r = holds.answered(r.number, mine, 0);
  r = holds.commit("x", key::is_given_back, 0);
  r = holds.answered(r.number, commit_properties(bytes, std::get<transaction>(r.what)), 0);
  if (holds.last() == tenure::result::applied)
    require(has_all && m.count(3) == 2, "a change was done if it says so");
  if (holds.last() == tenure::result::refused || holds.last() == tenure::result::lost ||
      holds.last() == tenure::result::stale)
    require(m.number_in(head, 3) > 0 && m.number(2) == 0, "a change was not done if it says so");
  if (holds.at() != tenure::stage::resolves) return;
  r = holds.answered(r.number, commit_properties(bytes, std::get<transaction>(r.what)), 0);
  if (holds.last() == tenure::result::applied || holds.last() == tenure::result::not_applied)
    require(m.number_in(head, 3) > 0, "what became of a change is told by the value");
}

void lease_properties(std::string_view bytes) {
  const message m{bytes};
  const lease_reply granted = etcd::grant_reply(bytes);
  is_one_line(granted.text);
  if (granted.how == verdict::ok) {
    require(m.has(head) && granted.lease == m.number(2) && granted.lease != 0, "a lease has a number");
    require(granted.ttl > 0 && granted.ttl / 1'000'000'000 == m.number(3), "and a time");
  }
  const lease_reply kept = etcd::keep_alive_reply(bytes, 7);
  if (kept.how == verdict::ok) {
    require(m.has(head) && m.number(2) == 7 && kept.lease == 7, "it is about that lease");
    require(kept.ttl >= 0 && (kept.ttl > 0) == (m.number(3) > 0), "it is gone if it has no time");
  }
  if (etcd::revoke_reply(bytes).how == verdict::ok) require(m.has(head), "an answer has a header");
}

}  // namespace

void replies_properties(std::string_view bytes) {
  tenure_properties(bytes);
  for (const transaction& t : {look_before(where, 5), give_back(where, fencing::raised)})
    static_cast<void>(commit_properties(bytes, t));
  lease_properties(bytes);
  const auto token = etcd::token_of(bytes);
  if (token) {
    require(!token->empty() && bytes.find(*token) != bytes.npos, "a token is in the answer");
    require(std::all_of(token->begin(), token->end(), [](char c) { return c > ' ' && c <= '~'; }),
            "a token can be a header");
  }
  if (const auto news = etcd::watch_reply(bytes)) {
    const message m{bytes};
    is_one_line(news->why);
    require(m.has(head) && news->id == m.number(2), "news are of a watch");
    require(!news->was_erased || m.has(11), "what was erased has an event");
  }
}

}  // namespace fuzz
