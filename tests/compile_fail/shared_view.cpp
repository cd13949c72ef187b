// A view, which is a pointer in disguise.
// wrong: shared memory: the type holds a pointer, a view
#include <array>
#include <string_view>

#include <mortise/shm/guarded.hpp>

struct state {
#ifdef MORTISE_WRONG
  std::string_view name;
#else
  std::array<char, 16> name;
#endif
};
mortise::shm::guarded<state> value{"state"};
