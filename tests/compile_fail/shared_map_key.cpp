// Keys that are equal and have bytes that are not.
// wrong: shm::map: equal keys of this type are not equal bytes
#include <mortise/shm/map.hpp>

#ifdef MORTISE_WRONG
using key = double;
#else
using key = long;
#endif
int size(const mortise::shm::map<key, int, 4>& m) { return static_cast<int>(m.size()); }
