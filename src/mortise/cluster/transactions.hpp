#pragma once

#include <string>

#include <mortise/base/abi.hpp>
#include <mortise/cluster/names.hpp>
#include <mortise/cluster/store.hpp>

// The few transactions that the protocol consists of (docs/design/cluster.md says why each compare is there). A `place` is one tenure's
// in the queue of one lock.
namespace mortise::inline MORTISE_ABI::cluster {

struct place {
  std::string queue;  // the prefix of all keys in it
  std::string me;
  std::string fence;
  std::string value;  // empty: the lock guards no value here
  lease_id lease = 0;
};

// Puts `me` at the end of the queue, unless it is there or the fence is not as it was. `found` if it succeeded: the two newest in the queue,
// of which the first is me; the value. If not: me, the fence.
MORTISE_API transaction ask_for(const place& p, revision fence_changed);

// `found`: me, the newest one before me, the value. Ranges alone: a server that is behind may have answered.
MORTISE_API transaction look_before(const place& p, revision my_revision);

// What ends a tenure besides its key: an ask_for that is still under way must not put the key back.
enum class fencing : bool { not_needed, raised };
enum class key : bool { is_kept, is_given_back };

// Changes the value, if my key is the one I was granted and the value the one I saw. `found` if not: me, the value.
MORTISE_API transaction change(const place& p, revision my_revision, revision value_changed,
                               std::string bytes, key mine, fencing f);

// Afterwards no change of mine can be done any more. `found`: the value, if there is one.
MORTISE_API transaction give_back(const place& p, fencing f);

// Goes through consensus, though it changes nothing: no server that is behind can answer it. `found`: the value.
MORTISE_API transaction read_confirmed(const lock_names& names);
// Any server's answer.
MORTISE_API transaction read_anywhere(const lock_names& names);

}  // namespace mortise::inline MORTISE_ABI::cluster
