#pragma once

// pthread's robust mutex that processes share: what the locks of the process scope are measured by.
//
// A lock of processes, as the workloads here have it, for what lies beside it and is guarded by it:
//
//     Lock<Guarded> lock;                     made by the first process, before it forks
//     Lock<Guarded>::handle mine{lock};       in each process: what its parties use
//     mine.lock(), mine.unlock()
//     mine.guarded()                          the same object in all of them
//     mine.owner_died()                       for the holder: whether the one before was killed, told once

#include <pthread.h>

#include <cerrno>
#include <stdexcept>
#include <utility>

#include <bench/harness/shared_memory.hpp>

namespace bench {

class robust_mutex {
 public:
  robust_mutex() {
    pthread_mutexattr_t kind;
    ::pthread_mutexattr_init(&kind);
    ::pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    ::pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    const int error = ::pthread_mutex_init(&m_mutex, &kind);
    ::pthread_mutexattr_destroy(&kind);
    if (error != 0) throw std::runtime_error("pthread has no robust mutex that processes share");
  }
  // Whether the one before was killed.
  bool lock() {
    const int error = ::pthread_mutex_lock(&m_mutex);
    if (error == 0) [[likely]]
      return false;
    if (error != EOWNERDEAD) throw std::runtime_error("pthread_mutex_lock failed");
    ::pthread_mutex_consistent(&m_mutex);
    return true;
  }
  void unlock() { ::pthread_mutex_unlock(&m_mutex); }

 private:
  pthread_mutex_t m_mutex;
};

template <class Guarded>
class robust_lock {
  struct both {  // as anybody would put them: on one line if they fit
    robust_mutex mutex;
    Guarded guarded{};
  };
  shared_memory<both> m_both;

 public:
  class handle {
   public:
    explicit handle(robust_lock& l) : m_both{*l.m_both} {}
    void lock() {
      if (m_both.mutex.lock()) m_died = true;
    }
    void unlock() { m_both.mutex.unlock(); }
    Guarded& guarded() const { return m_both.guarded; }
    bool owner_died() { return std::exchange(m_died, false); }

   private:
    both& m_both;
    bool m_died = false;
  };
};

}  // namespace bench
