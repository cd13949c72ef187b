#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include <mortise/base/abi.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/base/token_gate.hpp>
#include <mortise/cluster/record.hpp>
#include <mortise/cluster/store.hpp>
#include <mortise/cluster/transactions.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// What a state machine wants done next, with a number that the answer carries. Nothing: what it wanted before stands.
struct watch_request {
  std::string key;
  revision from;
};
struct pause_until {
  nanos at;
};
struct request {
  std::uint64_t number = 0;
  std::variant<std::monostate, transaction, watch_request, pause_until> what;
  bool nothing() const noexcept { return what.index() == 0; }
};

// One stay of one process in the queue of one lock, from asking for the key to having given it back. A state machine: knows no thread, no
// clock and no store; events go in, what is to be done comes out. One thing is under way at a time: an answer to an earlier number (late, or
// come twice) is ignored.
//
// 1. Promise     TE1: a change is done while its key is the oldest in the queue, on the value that was seen, or not at all.
//                TE2: result() tells `applied`, `stale`, `lost`, `not_applied` of what is so for ever; what it cannot tell is `unknown`.
//                TE3: whichever way it ends, nothing of it stays in the store, nor gets there later, once it is `over`.
//                TE4: first come first served, by the revisions at which the keys were created
// 2. Word        m_token: my key's create revision, exact. m_ambiguous: may over-report that a request which puts the key is under way
// 3. States      asks -> waits | holds | over; waits -> looks -> waits | holds; holds -> commits -> holds | resolves | over;
//                resolves -> over | leaves; any -> leaves -> over
// 4. Invariants  I1: keys that are older than mine only disappear. I2: who held is first until its key is gone.
//                I3: a request that puts my key and was not answered is made to fail by the fence before this is over
// 5. Orderings   the store's: transactions are one after the other; a read of ranges alone counts if it is at my revision or later (I1)
// 6. Last touch  none: it is its owner's. 7. Wake ledger: the watch; where it breaks this looks again
// 8. Evidence    tests/cluster/schedules_test.cpp and its controls. After: etcd's recipe (clientv3/concurrency); M. Burrows, "The Chubby
//                lock service", 2006 (sequencers); M. Kleppmann, "How to do distributed locking", 2016 (fencing)
class tenure {
 public:
  enum class stage : unsigned char { asks, looks, waits, holds, commits, resolves, leaves, over };
  enum class ending : unsigned char {
    gave_back,
    lost,     // the key went away without me, or its lease
    refused,  // text() says why
  };
  enum class result : unsigned char {
    none,
    applied,
    stale,        // not done: the value was another one; state() is fresh, and it may be tried again
    lost,         // not done: the key was gone
    not_applied,  // not done: no answer came, and afterwards it was not there; the key is given back
    unknown,      // no answer came, and it cannot be told
    refused,      // not done: the store would not, text() says why
  };
  struct patience {
    nanos first_pause = 20'000'000, longest_pause = 1'000'000'000;
    nanos resolving = 30'000'000'000;  // how long an unknown change is looked for
  };

  // `fence_changed`: what fence() of the lock's last tenure was.
  MORTISE_API tenure(place where, revision fence_changed, patience p);

  MORTISE_API request begin(nanos now);
  MORTISE_API request answered(std::uint64_t number, const transaction_reply& r, nanos now);
  MORTISE_API request watch_ended(std::uint64_t number, watch_end how, nanos now);
  MORTISE_API request pause_over(std::uint64_t number, nanos now);

  // Requires: holds. The state becomes what it was with `bytes`, and with `key::is_given_back` the tenure ends in the same step.
  MORTISE_API request commit(std::string bytes, key mine, nanos now);
  // Requires: neither commits nor resolves. Ends it, whatever it is doing.
  MORTISE_API request leave(nanos now);
  // The store says that there is no such lease.
  MORTISE_API request lease_is_gone(nanos now);

  stage at() const noexcept { return m_stage; }
  ending ended() const noexcept { return m_ending; }              // leaves, over
  bool last_was_resolved() const noexcept { return m_resolved; }  // the commit had no answer of its own
  result last() const noexcept { return m_result; }               // of the last commit
  mortise::token token() const noexcept { return static_cast<mortise::token>(m_token); }
  const record& state() const noexcept { return m_seen; }
  bool state_exists() const noexcept { return m_seen_changed != 0; }
  revision fence() const noexcept { return m_fence; }
  bool lease_was_refused() const noexcept { return m_lease_refused; }
  const std::string& text() const noexcept { return m_text; }

 private:
  request answer_to_ask(const transaction_reply& r, nanos now);
  request answer_to_look(const transaction_reply& r, nanos now);
  request answer_to_commit(const transaction_reply& r, nanos now);
  request answer_to_resolve(const transaction_reply& r, nanos now);
  request answer_to_leave(const transaction_reply& r, nanos now);

  request send(transaction t);
  request again();
  request after_pause(nanos now);
  request look();
  request wait_for(const std::string& predecessor, revision from);
  request hold();
  request resolve(nanos now);
  request end(ending how, std::string text = {});
  request finish(ending how);
  fencing needed() const noexcept { return m_ambiguous ? fencing::raised : fencing::not_needed; }
  bool see(const std::vector<key_value>& value);
  result applied_or_not(const std::vector<key_value>& value) const;

  place m_place;
  patience m_patience;
  revision m_fence;
  revision m_token = 0;
  revision m_seen_changed = 0;
  record m_seen;
  std::uint64_t m_number = 0;
  std::uint64_t m_op = 0;
  record m_next;              // what the commit under way makes of m_seen
  key m_mine = key::is_kept;  // after the commit under way
  nanos m_pause = 0;
  nanos m_resolves_until = 0;
  stage m_stage = stage::asks;
  ending m_ending = ending::gave_back;
  result m_result = result::none;
  bool m_ambiguous = false;
  bool m_resolved = false;
  bool m_lease_gone = false;
  bool m_lease_refused = false;
  std::string m_text;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
