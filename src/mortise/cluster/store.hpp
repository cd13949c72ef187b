#pragma once

// What the cluster scope needs of a consensus store: leases, one kind of transaction, and a watch for the end of one key. cluster/etcd/
// implements it; tests/cluster has one with simulated time, which loses, delays and repeats what it likes.

#include <cstdint>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/base/clock.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// The store's own count of changes: grows with each transaction that changes something. 0: before the first; of a key: there is none.
using revision = std::int64_t;
using lease_id = std::int64_t;  // 0: none

struct key_value {
  std::string key, value;
  revision created = 0, changed = 0;
};

// Holds if the key's revision is exactly this; a key that does not exist has 0.
struct compare {
  enum class which : unsigned char { created, changed };
  std::string key;
  which what;
  revision is;
};

struct put {
  std::string key, value;
  lease_id lease = 0;  // the key ends with it
};
struct erase {
  std::string key;
};
struct range {
  std::string key;
  bool prefix = false;         // all that begin with `key`; the newest comes first
  std::int64_t most = 1;       // how many
  revision created_until = 0;  // none that was created later; 0: whenever
};
using operation = std::variant<put, erase, range>;

// Compares, then one list or the other, as one step. One that contains a put or an erase, in whichever list, goes through consensus; one
// of ranges alone may be answered by a server that is behind, and by any server if it says so.
struct transaction {
  std::vector<compare> if_all;
  std::vector<operation> then, otherwise;
  bool may_be_stale = false;
};

enum class verdict : unsigned char {
  ok,       // it was done, and this is the answer
  refused,  // it was not done, and never will be
  unknown,  // no answer: it may have been done, may still be done later, or not at all
};

struct reply {
  verdict how = verdict::unknown;
  bool no_such_lease = false;  // refused for that
  std::string text;            // why it is not ok, for people
};
struct transaction_reply : reply {
  bool succeeded = false;  // all compares held
  revision at = 0;  // the store's, after it; 0 also if the answer lacks something, and then tells nothing
  std::vector<std::vector<key_value>> found;  // for each range of the list that was done
};
struct lease_reply : reply {
  lease_id lease = 0;
  nanos ttl =
      0;  // as the store has it, which may be more than was asked for; 0 or less: there is no such lease
};
enum class watch_end : unsigned char {
  erased,  // the key does not exist at some time from `from` on
  broken,  // the watch has ended without that: look again
};

template <class Reply>
using completion = std::function<void(const Reply&)>;

// An implementation calls each completion once, on a thread of its own and never within the call that it was given to, within a time of
// its own choosing after which it says `unknown` or `broken`. It does a request once at most, but maybe after it said `unknown`.
//
// It is called under locks of its callers, which completions take too. So it neither calls a completion under a lock of its own nor lets go of one
// there, called or not: the last who holds on to a lock of the cluster may be a completion, and then ends it.
class store {
 public:
  virtual void grant(nanos ttl, completion<lease_reply> done) = 0;
  virtual void keep_alive(lease_id lease, completion<lease_reply> done) = 0;
  virtual void revoke(lease_id lease, completion<reply> done) = 0;
  virtual void commit(transaction what, completion<transaction_reply> done) = 0;

  // Until the key is erased, beginning with revision `from`. Returns what `forget` takes; after that `done` may still be called.
  virtual std::uint64_t watch(std::string key, revision from, completion<watch_end> done) = 0;
  virtual void forget(std::uint64_t watch) = 0;

 protected:
  ~store() = default;
};

// What leases are counted by: goes on while the machine is suspended, is never set. The tests' is simulated.
class lease_clock {
 public:
  virtual nanos now() const noexcept = 0;

 protected:
  ~lease_clock() = default;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
