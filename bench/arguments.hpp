#pragma once

// Positional whole numbers of a benchmark's command line, each checked against its range; and how its main
// ends.

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

namespace bench {

// Argument `index` as a number in lowest..highest, or `otherwise` if it was not given. A bad one ends the
// program with 2.
inline int number(int argc, char** argv, int index, const char* name, int otherwise, int lowest,
                  int highest) {
  if (index >= argc) return otherwise;
  const char* text = argv[index];
  const char* end = text + std::strlen(text);
  int value = 0;
  const auto [rest, error] = std::from_chars(text, end, value);
  if (error == std::errc{} && rest == end && lowest <= value && value <= highest) return value;
  std::fprintf(stderr, "%s: %s is not in %d..%d\n", name, text, lowest, highest);
  std::exit(2);
}

// Runs `body` and turns an exception into one line and exit 1: a benchmark without its number is no result.
template <class Body>
int guarded_main(Body body) {
  try {
    return body();
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "error: %s\n", failure.what());
    return 1;
  }
}

}  // namespace bench
