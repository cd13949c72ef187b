#include <mortise/cluster/numbers.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

numbers& numbers::operator+=(const numbers& o) noexcept {
  for (const auto count :
       {&numbers::acquisitions, &numbers::local_handovers, &numbers::tenures, &numbers::remote_handovers,
        &numbers::given_up, &numbers::lost, &numbers::refused, &numbers::commits, &numbers::updates,
        &numbers::updates_lost, &numbers::updates_unknown, &numbers::updates_again, &numbers::unknown,
        &numbers::resolved_applied, &numbers::resolved_not_applied, &numbers::unresolved}) {
    this->*count += o.*count;
  }
  for (const auto lengths : {&numbers::wait, &numbers::hold, &numbers::kept}) this->*lengths += o.*lengths;
  return *this;
}

}  // namespace mortise::inline MORTISE_ABI::cluster
