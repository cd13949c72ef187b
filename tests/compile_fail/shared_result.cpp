// A closure that hands out what the lock guards.
// wrong: the closure returns a reference, which would reach the value without its lock
#include <mortise/shm/guarded.hpp>

int look(const mortise::shm::guarded<int>& value) {
#ifndef MORTISE_WRONG
  return value.read([](const int& v) { return v; });
#else
  return value.read([](const int& v) -> const int& { return v; });
#endif
}
