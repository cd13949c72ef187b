// A value whose bytes point into one process.
// wrong: shared memory: the type is not trivially copyable
#include <string>

#include <mortise/shm/guarded.hpp>

struct state {
#ifdef MORTISE_WRONG
  std::string name;
#else
  char name[16];
#endif
};
mortise::shm::guarded<state> value{"state"};
