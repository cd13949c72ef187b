#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/cluster/numbers.hpp>
#include <mortise/cluster/store.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// Keeps one lease alive, and gets another when the store says that it does not exist. A state machine, as tenure is.
//
// The lease is good until `ttl` after the renewal that was last answered was *sent*, less the margin: a warning, not a proof. The store may end
// it earlier, and whoever looks at a clock may be paused before he acts on it.
class lease_keeper {
 public:
  struct terms {
    nanos ttl;     // asked for; the store's answer counts
    nanos margin;  // how much earlier it is taken for over: clocks that drift, and time to react
    nanos pause;   // between attempts
  };
  enum class order : unsigned char { nothing, grant, keep_alive };
  struct what_next {
    order what = order::nothing;
    std::uint64_t number = 0;  // the answer carries it
    lease_id lease = 0;        // of keep_alive
  };

  explicit lease_keeper(terms t) noexcept : m_terms{t} {}

  // Whenever wakes_at() has come, and after each of the others; one thing at a time is ordered.
  MORTISE_API what_next at(nanos now);
  MORTISE_API nanos wakes_at() const noexcept;

  MORTISE_API void granted(std::uint64_t number, const lease_reply& r, nanos now);
  MORTISE_API void kept(std::uint64_t number, const lease_reply& r, nanos now);
  // A transaction was refused because there is no such lease: renewals of it prove nothing.
  MORTISE_API void gone(lease_id lease, nanos now);
  // A key that was put with it has gone: it is asked for at once.
  MORTISE_API void doubted(lease_id lease, nanos now);

  lease_id lease() const noexcept { return m_lease; }  // 0: none yet, or none any more
  nanos good_until() const noexcept { return m_good_until; }
  bool is_good(nanos now) const noexcept { return m_lease != 0 && now < m_good_until; }
  const std::string& trouble() const noexcept {
    return m_trouble;
  }  // why there is none, as the store says; empty: no reason known
  MORTISE_API lease_numbers counted(nanos now) const noexcept;

 private:
  struct sent {
    std::uint64_t number;
    nanos at;
  };
  bool take(std::uint64_t number, nanos& sent_at);

  terms m_terms;
  lease_id m_lease = 0;
  nanos m_ttl = 0;
  nanos m_good_until = 0;
  nanos m_confirmed = 0;  // when that was sent which was answered last
  nanos m_next = 0;       // when something is to be sent; never: an answer to a grant is waited for
  std::uint64_t m_number = 0;
  std::vector<sent> m_sent;  // not answered yet
  std::string m_trouble;
  lease_numbers m_numbers;  // without age and good_for
};

}  // namespace mortise::inline MORTISE_ABI::cluster
