// Checked builds name a std::condition_variable(_any) that is waited on in a fiber.
//
// It would block the OS thread under the fiber, and with it the fibers that could notify it. The C++ library
// ends up in pthread_cond_wait and its timed forms, so these are interposed, in checked builds only, and
// passed on. Not under ThreadSanitizer, which interposes the same.
#include <mortise/base/abi.hpp>
#include <mortise/base/sanitizers.hpp>

#if MORTISE_IS_CHECKED && !MORTISE_TSAN

#include <pthread.h>

#include <mortise/base/fatal.hpp>
#include <mortise/base/next_function.hpp>
#include <mortise/lock/cv_check.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::detail {
namespace {

void check() noexcept {
  wait::context& here = wait::this_context();
  if (here.kind() == wait::party::thread) return;
  fatal(
      "%s %lu waits on a std::condition_variable, which blocks its worker and whoever would notify it: wait by polling "
      "with sleep_for, or on a thread",
      to_string(here.kind()), here.self().id());
}

constinit next_function<int(pthread_cond_t*, pthread_mutex_t*)> real_wait{"pthread_cond_wait"};
constinit next_function<int(pthread_cond_t*, pthread_mutex_t*, const timespec*)> real_timedwait{
    "pthread_cond_timedwait"};
constinit next_function<int(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*)> real_clockwait{
    "pthread_cond_clockwait"};

}  // namespace

void keep_cv_check() noexcept {}

}  // namespace mortise::inline MORTISE_ABI::detail

extern "C" {

MORTISE_API int pthread_cond_wait(pthread_cond_t* c, pthread_mutex_t* m) {
  mortise::detail::check();
  return (*mortise::detail::real_wait)(c, m);
}

MORTISE_API int pthread_cond_timedwait(pthread_cond_t* c, pthread_mutex_t* m, const timespec* t) {
  mortise::detail::check();
  return (*mortise::detail::real_timedwait)(c, m, t);
}

MORTISE_API int pthread_cond_clockwait(pthread_cond_t* c, pthread_mutex_t* m, clockid_t clock,
                                       const timespec* t) {
  mortise::detail::check();
  return (*mortise::detail::real_clockwait)(c, m, clock, t);
}

}  // extern "C"

#else

#include <mortise/lock/cv_check.hpp>

namespace mortise::inline MORTISE_ABI::detail {
void keep_cv_check() noexcept {}
}  // namespace mortise::inline MORTISE_ABI::detail

#endif
