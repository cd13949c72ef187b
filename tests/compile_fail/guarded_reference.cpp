// A closure that hands out what the lock guards.
// wrong: the closure returns a reference, which would reach the value without its lock
#include <mortise/lock/guarded.hpp>

mortise::guarded<int> value;

int look() {
#ifndef MORTISE_WRONG
  return value.read([](const int& v) { return v; });
#else
  return value.read([](const int& v) -> const int& { return v; });
#endif
}
