#pragma once

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::detail {

// Called by checked locks so that a static link takes cv_check.cpp, see there.
void keep_cv_check() noexcept;

}  // namespace mortise::inline MORTISE_ABI::detail
