// wrong: deleted (function|constructor)
#include <mortise/lock/mutex.hpp>

mortise::mutex m;
#ifdef MORTISE_WRONG
mortise::mutex copy{m};
#endif
