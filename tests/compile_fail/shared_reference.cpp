// A reference among the members.
// wrong: shared memory: the type has no standard layout .a reference
#include <mortise/shm/guarded.hpp>

int one;
struct state {
#ifdef MORTISE_WRONG
  int& n = one;
#else
  int n = one;
#endif
};
mortise::shm::guarded<state> value{"state"};
