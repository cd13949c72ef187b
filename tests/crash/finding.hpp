#pragma once

// What a test of this folder has found out about a lock.

#include <ostream>
#include <string>

namespace crash {

enum class finding {
  nothing,
  torn,      // a value that nobody wrote
  stuck,     // the lock is not to be had any more
  mistaken,  // told of a death that was none, or not told of one; a change that was lost; a token that went back
  haunted,  // a store of the dead after the next holder has come in
  broken,   // the test itself has not come about
};

struct verdict {
  finding what = finding::nothing;
  std::string how;

  explicit operator bool() const noexcept { return what != finding::nothing; }
};

inline const char* name_of(finding f) noexcept {
  switch (f) {
    case finding::nothing: return "nothing";
    case finding::torn: return "torn";
    case finding::stuck: return "stuck";
    case finding::mistaken: return "mistaken";
    case finding::haunted: return "haunted";
    case finding::broken: return "broken";
  }
  return "?";
}

inline void PrintTo(finding f, std::ostream* out) { *out << name_of(f); }

}  // namespace crash
