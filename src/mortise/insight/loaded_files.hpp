#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::insight {

// Code that is mapped from a file: the program itself first.
struct loaded_file {
  std::uint64_t begin, end;  // addresses, whole pages
  std::uint64_t offset;      // in the file
  std::string name, build_id;
};
std::vector<loaded_file> loaded_files();

}  // namespace mortise::inline MORTISE_ABI::insight
