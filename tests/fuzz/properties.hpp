#pragma once

// What must hold for every input, whatever it is. Fuzzers look for one that breaks it; the corpus is replayed by a test.

#include <stdexcept>
#include <string>
#include <string_view>

namespace fuzz {

// what() tells the property and the input.
class broken : public std::logic_error {
  using std::logic_error::logic_error;
};

// `text` as a duration, and its first eight bytes as a number of nanoseconds.
void duration_properties(std::string_view text);

// `text` as the arguments of `mortise run`, with a NUL between two.
void flags_properties(std::string_view text);

// `text` as the header of a region, and as what is written over one, three bytes each time: where and what.
void region_properties(std::string_view text);

// `bytes` as an answer of etcd's to whatever was asked.
void replies_properties(std::string_view bytes);

}  // namespace fuzz
