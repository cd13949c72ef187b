// An access without the lock, with Clang's thread safety analysis.
// wrong: (writing|reading) variable 'value' requires holding mutex 'm'
// flags: -Wthread-safety -Werror
// compiler: clang
#define MORTISE_THREAD_SAFETY
#include <mortise/lock/mutex.hpp>

mortise::mutex m;
int value MORTISE_GUARDED_BY(m) = 0;

void access() {
#ifndef MORTISE_WRONG
  mortise::scoped_hold hold{m};
#endif
  ++value;
}
