#include <mortise/cluster/mutex.hpp>

#include <mortise/base/fatal.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

mutex::~mutex() {
  if (m_front->is_held())
    fatal("the cluster mutex '%s' is destroyed while it is held or waited for",
          m_front->names().name().c_str());
}

}  // namespace mortise::inline MORTISE_ABI::cluster
