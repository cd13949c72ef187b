#pragma once

// Two locks that do not do what this folder asks for, with a value beside them that is changed in place. They have the
// interface of subject.hpp.

#include <pthread.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <semaphore>
#include <thread>

#if __has_include(<boost/interprocess/sync/interprocess_mutex.hpp>)
#include <boost/date_time/posix_time/posix_time_types.hpp>
#include <boost/interprocess/sync/interprocess_mutex.hpp>
#define MORTISE_CRASH_HAS_BOOST 1
#else
#define MORTISE_CRASH_HAS_BOOST 0
#endif

#include <support/forked.hpp>

#include "subject.hpp"

namespace crash {

// A robust mutex, and no more: it tells of a death, and what the dead has left half-written is what the next one sees.
template <class Value>
class robust_control {
 public:
  explicit robust_control(const Value& initial) {
    pthread_mutexattr_t a;
    ::pthread_mutexattr_init(&a);
    ::pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    ::pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    ::pthread_mutex_init(&m_shared->lock, &a);
    ::pthread_mutexattr_destroy(&a);
    m_shared->value = initial;
  }

  template <class F>
  bool update_for(std::chrono::nanoseconds patience, F f) {
    timespec until{};
    ::clock_gettime(CLOCK_MONOTONIC, &until);
    const auto ns = until.tv_nsec + patience.count();
    until.tv_sec += ns / 1'000'000'000;
    until.tv_nsec = ns % 1'000'000'000;
    return inside(::pthread_mutex_clocklock(&m_shared->lock, CLOCK_MONOTONIC, &until), f);
  }
  template <class F>
  void update(F f) {
    inside(::pthread_mutex_lock(&m_shared->lock), f);
  }

 private:
  template <class F>
  bool inside(int locked, F& f) {
    if (locked != 0 && locked != EOWNERDEAD) return false;
    if (locked == EOWNERDEAD) ::pthread_mutex_consistent(&m_shared->lock);
    f(m_shared->value, tenure_facts{0, locked == EOWNERDEAD});
    ::pthread_mutex_unlock(&m_shared->lock);
    return true;
  }

  struct contents {
    pthread_mutex_t lock;
    Value value;
  };
  mortise::test::shared_with_children<contents> m_shared;
};

// The same, but held by another thread than the one that changes the value: a keeper, as a process has for its fibers. When both
// are killed the keeper may be gone first.
template <class Value>
class kept_control : public robust_control<Value> {
 public:
  using robust_control<Value>::robust_control;

  template <class F>
  void update(F f) {
    std::binary_semaphore taken{0}, done{0};
    Value* value = nullptr;
    tenure_facts facts{};
    std::jthread keeper{[&] {
      robust_control<Value>::update([&](Value& v, tenure_facts t) {
        value = &v;
        facts = t;
        taken.release();
        done.acquire();
      });
    }};
    taken.acquire();
    f(*value, facts);
    done.release();
  }
};

#if MORTISE_CRASH_HAS_BOOST

// The mutex of Boost.Interprocess: the death of its holder is its end.
template <class Value>
class boost_control {
 public:
  explicit boost_control(const Value& initial) { m_shared->value = initial; }

  template <class F>
  bool update_for(std::chrono::nanoseconds patience, F f) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(patience).count();
    const auto until =
        boost::posix_time::microsec_clock::universal_time() + boost::posix_time::microseconds(us);
    if (!m_shared->lock.timed_lock(until)) return false;
    inside(f);
    return true;
  }
  template <class F>
  void update(F f) {
    m_shared->lock.lock();
    inside(f);
  }

 private:
  template <class F>
  void inside(F& f) {
    f(m_shared->value, tenure_facts{0, false});
    m_shared->lock.unlock();
  }

  struct contents {
    boost::interprocess::interprocess_mutex lock;
    Value value;
  };
  mortise::test::shared_with_children<contents> m_shared;
};

#endif

}  // namespace crash
