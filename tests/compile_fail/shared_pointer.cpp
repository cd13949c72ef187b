// A pointer among other members, in a part of the value.
// wrong: shared memory: the type holds a pointer
#include <mortise/shm/guarded.hpp>

struct node {
  int key;
#ifdef MORTISE_WRONG
  node* next;
#else
  int next;  // an index
#endif
};
struct list {
  int size;
  node nodes[8];
};
mortise::shm::guarded<list> value{"list"};
