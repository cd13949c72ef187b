// wrong: deleted (function|constructor)
#include <utility>

#include <mortise/lock/mutex.hpp>

mortise::mutex m;
#ifdef MORTISE_WRONG
mortise::mutex moved{std::move(m)};
#endif
