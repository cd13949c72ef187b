#include <mortise/shm/lock_block.hpp>

#include <cerrno>
#include <new>
#include <system_error>

namespace mortise::inline MORTISE_ABI::shm {
namespace {

void make_robust(pthread_mutex_t& m) {
  pthread_mutexattr_t how;
  ::pthread_mutexattr_init(&how);
  ::pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
  ::pthread_mutexattr_settype(&how, PTHREAD_MUTEX_NORMAL);
  const int refused = ::pthread_mutex_init(&m, &how);
  ::pthread_mutexattr_destroy(&how);
  if (refused != 0)
    throw std::system_error{refused, std::generic_category(), "cannot make a robust mutex in shared memory"};
}

}  // namespace

void initialise(lock_block& block, std::uint64_t first_token) {
  lock_block* const made = ::new (static_cast<void*>(&block)) lock_block{};
  make_robust(made->lock);
  make_robust(made->gate);
  made->token.store(first_token, memory_order_relaxed);  // nobody else has the region yet
}

}  // namespace mortise::inline MORTISE_ABI::shm
