// Virtual functions: an address in every value.
// wrong: shared memory: the type has virtual functions
#include <mortise/shm/guarded.hpp>

struct state {
#ifdef MORTISE_WRONG
  virtual int next() { return ++n; }
#else
  int next() { return ++n; }
#endif
  int n = 0;
};
mortise::shm::guarded<state> value{"state"};
