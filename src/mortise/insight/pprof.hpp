#pragma once

#include <string>

#include <mortise/base/abi.hpp>
#include <mortise/insight/recording.hpp>

namespace mortise::inline MORTISE_ABI::insight {

// pprof's profile.proto, compressed by gzip. Throws std::runtime_error in a build that has no protozero or zlib.
std::string as_pprof(const recording& r);
bool has_pprof() noexcept;

}  // namespace mortise::inline MORTISE_ABI::insight
