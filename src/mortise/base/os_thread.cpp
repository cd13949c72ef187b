#include <mortise/base/os_thread.hpp>

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <mortise/base/fatal.hpp>
#include <mortise/base/process_once.hpp>

namespace mortise::inline MORTISE_ABI {

void name_thread(os_thread& t, const char* name) noexcept { ::pthread_setname_np(t.native_handle(), name); }

void sleep_this_thread_until(nanos deadline) noexcept {
  if (deadline == never) deadline = never - 1;
  const timespec at{static_cast<time_t>(deadline / 1'000'000'000),
                    static_cast<long>(deadline % 1'000'000'000)};
  while (now_ns() < deadline) ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
}

void yield_this_thread() noexcept { ::sched_yield(); }

// A pthread key and not a thread_local destructor: destructors of the user's thread-locals may still lock,
// and a key whose value is set again is destroyed again.
void at_thread_exit(void (*leave)(void* value), void* value) noexcept {
  static constinit process_once created;
  static constinit pthread_key_t key = 0;
  created([leave] {
    const int error = pthread_key_create(&key, leave);
    if (error != 0) fatal("cannot create a thread key (errno %d)", error);
  });
  pthread_setspecific(key, value);
}

}  // namespace mortise::inline MORTISE_ABI
