#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <mortise/base/abi.hpp>
#include <mortise/shm/descriptor.hpp>
#include <mortise/shm/directory.hpp>
#include <mortise/shm/region_file.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// Makes the whole region under another name and renames it: under `name` no half of it ever shows. The token of its first
// tenure is above `floor`. `replace`: over the file that has the name. Nothing: another process was first, or took the new
// file for one that a killed maker had left. Throws what the maker throws, system_error.
std::optional<descriptor> make_named(const open_directory& directory, const std::string& name,
                                     const std::string& subject, const maker& with, std::uint64_t floor,
                                     bool replace);

// The same as memory without a name, sealed against a change of its size.
descriptor make_unnamed(const maker& with);

// How names of unfinished files begin. None of them can be a region's.
inline constexpr const char* unfinished_prefix = ".new-";

}  // namespace mortise::inline MORTISE_ABI::shm
