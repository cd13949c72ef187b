#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/insight/wait_book.hpp>

namespace mortise::inline MORTISE_ABI::insight {

// Those who wait for each other: each waits for something that the next one has, the last for something of the first.
using wait_cycle = std::vector<wait_record>;

// Of waits that were seen at one time. One cycle for each party that is in any; those who wait for somebody in a cycle are in none.
std::vector<wait_cycle> cycles_of(const std::vector<wait_record>& waits);

// By these two cycles of two looks are the same: they are the same waits, not only the same parties.
using wait_ids = std::set<std::pair<const wait::waiter*, nanos>>;
wait_ids waits_in(const wait_cycle& c);

std::string report_of(const wait_cycle& cycle, nanos now);

}  // namespace mortise::inline MORTISE_ABI::insight
