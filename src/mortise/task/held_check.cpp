#include <mortise/task/held_check.hpp>

#if MORTISE_CHECKS_HELD

#include <pthread.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <mortise/base/fatal.hpp>
#include <mortise/base/next_function.hpp>
#include <mortise/task/task_names.hpp>

// These run before sanitizers are ready, and for every lock of the process.
#define MORTISE_BARE __attribute__((no_sanitize("address", "undefined")))

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {

// What an OS thread holds, newest last. What is beyond its capacity is not kept: then less is named.
struct held_locks {
  static constexpr unsigned most = 64;
  std::array<const void*, most> locks;
  unsigned size;
  unsigned at_entry;  // of the task that runs: these are not its own
};

// initial-exec: no function call, and no memory to be had for it, which might need a lock.
__attribute__((tls_model("initial-exec"))) __thread held_locks held{};

MORTISE_BARE void took(const void* lock) noexcept {
  held_locks& mine = held;
  if (mine.size < held_locks::most) mine.locks.data()[mine.size++] = lock;
}

MORTISE_BARE void released(const void* lock) noexcept {
  held_locks& mine = held;
  const void** const locks = mine.locks.data();
  for (unsigned i = mine.size; i-- != 0;) {
    if (locks[i] != lock) continue;
    for (; i + 1 < mine.size; ++i) locks[i] = locks[i + 1];
    --mine.size;
    return;
  }
}

template <auto& Real, class Lock, class... Args>
MORTISE_BARE int take(Lock* lock, Args... args) noexcept {
  const int error = (*Real)(lock, args...);
  if (error == 0 || error == EOWNERDEAD) took(lock);
  return error;
}

template <auto& Real, class Lock>
MORTISE_BARE int release(Lock* lock) noexcept {
  released(lock);  // before: afterwards the next holder may have destroyed it, and made another in its place
  const int error = (*Real)(lock);
  if (error != 0) took(lock);
  return error;
}

using mutex_function = int(pthread_mutex_t*);
using timed_mutex_function = int(pthread_mutex_t*, const timespec*);
using clock_mutex_function = int(pthread_mutex_t*, clockid_t, const timespec*);
using rwlock_function = int(pthread_rwlock_t*);
using timed_rwlock_function = int(pthread_rwlock_t*, const timespec*);
using clock_rwlock_function = int(pthread_rwlock_t*, clockid_t, const timespec*);

constinit next_function<mutex_function> mutex_lock{"pthread_mutex_lock"};
constinit next_function<mutex_function> mutex_trylock{"pthread_mutex_trylock"};
constinit next_function<timed_mutex_function> mutex_timedlock{"pthread_mutex_timedlock"};
constinit next_function<clock_mutex_function> mutex_clocklock{"pthread_mutex_clocklock"};
constinit next_function<mutex_function> mutex_unlock{"pthread_mutex_unlock"};
constinit next_function<rwlock_function> rdlock{"pthread_rwlock_rdlock"};
constinit next_function<rwlock_function> tryrdlock{"pthread_rwlock_tryrdlock"};
constinit next_function<timed_rwlock_function> timedrdlock{"pthread_rwlock_timedrdlock"};
constinit next_function<clock_rwlock_function> clockrdlock{"pthread_rwlock_clockrdlock"};
constinit next_function<rwlock_function> wrlock{"pthread_rwlock_wrlock"};
constinit next_function<rwlock_function> trywrlock{"pthread_rwlock_trywrlock"};
constinit next_function<timed_rwlock_function> timedwrlock{"pthread_rwlock_timedwrlock"};
constinit next_function<clock_rwlock_function> clockwrlock{"pthread_rwlock_clockwrlock"};
constinit next_function<rwlock_function> rwlock_unlock{"pthread_rwlock_unlock"};

}  // namespace

void entered_with_held() noexcept { held.at_entry = held.size; }

void check_held(const task_block& t, const char* does) noexcept {
  const held_locks& mine = held;
  if (mine.size <= mine.at_entry) return;
  fatal(
      "%s %s while it holds the pthread lock at %p, which belongs to its OS thread (a std::mutex?): whoever locks it next blocks "
      "a whole worker, perhaps for ever; unlock it before anything that waits, or make it a mortise::mutex",
      describe(t, t.kind).chars, does, mine.locks[mine.size - 1]);
}

}  // namespace mortise::inline MORTISE_ABI::task_detail

namespace detail = mortise::task_detail;

extern "C" {

MORTISE_API MORTISE_BARE int pthread_mutex_lock(pthread_mutex_t* m) noexcept {
  return detail::take<detail::mutex_lock>(m);
}
MORTISE_API MORTISE_BARE int pthread_mutex_trylock(pthread_mutex_t* m) noexcept {
  return detail::take<detail::mutex_trylock>(m);
}
MORTISE_API MORTISE_BARE int pthread_mutex_timedlock(pthread_mutex_t* m, const timespec* t) noexcept {
  return detail::take<detail::mutex_timedlock>(m, t);
}
MORTISE_API MORTISE_BARE int pthread_mutex_clocklock(pthread_mutex_t* m, clockid_t c,
                                                     const timespec* t) noexcept {
  return detail::take<detail::mutex_clocklock>(m, c, t);
}
MORTISE_API MORTISE_BARE int pthread_mutex_unlock(pthread_mutex_t* m) noexcept {
  return detail::release<detail::mutex_unlock>(m);
}
MORTISE_API MORTISE_BARE int pthread_rwlock_rdlock(pthread_rwlock_t* l) noexcept {
  return detail::take<detail::rdlock>(l);
}
MORTISE_API MORTISE_BARE int pthread_rwlock_tryrdlock(pthread_rwlock_t* l) noexcept {
  return detail::take<detail::tryrdlock>(l);
}
MORTISE_API MORTISE_BARE int pthread_rwlock_timedrdlock(pthread_rwlock_t* l, const timespec* t) noexcept {
  return detail::take<detail::timedrdlock>(l, t);
}
MORTISE_API MORTISE_BARE int pthread_rwlock_clockrdlock(pthread_rwlock_t* l, clockid_t c,
                                                        const timespec* t) noexcept {
  return detail::take<detail::clockrdlock>(l, c, t);
}
MORTISE_API MORTISE_BARE int pthread_rwlock_wrlock(pthread_rwlock_t* l) noexcept {
  return detail::take<detail::wrlock>(l);
}
MORTISE_API MORTISE_BARE int pthread_rwlock_trywrlock(pthread_rwlock_t* l) noexcept {
  return detail::take<detail::trywrlock>(l);
}
MORTISE_API MORTISE_BARE int pthread_rwlock_timedwrlock(pthread_rwlock_t* l, const timespec* t) noexcept {
  return detail::take<detail::timedwrlock>(l, t);
}
MORTISE_API MORTISE_BARE int pthread_rwlock_clockwrlock(pthread_rwlock_t* l, clockid_t c,
                                                        const timespec* t) noexcept {
  return detail::take<detail::clockwrlock>(l, c, t);
}
MORTISE_API MORTISE_BARE int pthread_rwlock_unlock(pthread_rwlock_t* l) noexcept {
  return detail::release<detail::rwlock_unlock>(l);
}

}  // extern "C"

#endif
