#pragma once

// In which order locks are taken: what checked builds find out by themselves, and what a program says about it.
//
//     mortise::lock_order::declare(accounts, journal);  // accounts first: the other way round is reported the first time
//     mortise::lock_order::waive(node.lock);             // its order is by position in a list: it takes no part
//     mortise::lock_order::on_cycle([](const char* report) { std::fputs(report, stderr); std::abort(); });

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI {

class mutex;
class shared_mutex;
template <class T, class Mutex>
class guarded;

// Two parties that take two locks in two orders wait for each other for ever, on the day that they are at it at once. Checked builds keep
// for mutex, shared_mutex and guarded with these which was waited for while which was held, and report a cycle as soon as it is known, be it of
// two locks or of more, and whether or not anybody has had to wait. In unchecked builds all this is empty.
//
// Promises
// - LO1 A cycle is reported before the wait that closes it, once: with the locks, and for each order the party and the stack. Orders that came
//   from the same places in the program are reported once, for however many locks. The program goes on.
// - LO2 What cannot deadlock is not reported: try_lock and waits with a deadline as to what they wait for; a lock made where another was; a hold
//   that another party gives back than the one that took it; orders that only ever occur while one more lock is held, which keeps them apart.
// - LO3 A declared order counts as if it had been seen, without a lock that keeps it apart; a waived lock takes no part.
// Does not promise to see what is not a lock: a join, a latch, a semaphore, or a condition that is waited for with a lock held; nor std::mutex, nor locks
// between processes or machines (but for the mutex in front of these in one process); nor what coroutines hold that are not tasks of a runtime.
// Locking twice is named by itself (mutex.hpp).
//
// Shared counts as alone does, but that it keeps nobody apart: two readers of two locks wait for each other once there is a writer between them in
// both queues.
// Cost in checked builds: some 50 ns for a lock and its unlock, 150 where others are held, and 10 us the first time that two are seen together.
class lock_order {
 public:
  // `before` is taken first where both are held. Until one of the two is destroyed.
  template <class Before, class After>
  static void declare(const Before& before, const After& after) noexcept {
    declared(key(before), key(after));
  }

  // `lock` takes no part, whatever was seen of it so far. Until it is destroyed.
  template <class Lock>
  static void waive(const Lock& lock) noexcept {
    waived(key(lock));
  }

  // What is done with a report, some lines of text, instead of writing it to standard error (null: that again). Called by the party that is
  // about to wait: it may neither wait nor throw, but may abort. All that was reported so far may be reported again.
  static void on_cycle(void (*report)(const char* text)) noexcept { reported_by(report); }

 private:
  static const void* key(const mutex& m) noexcept { return &m; }
  static const void* key(const shared_mutex& m) noexcept { return &m; }
  template <class T, class Mutex>
  static const void* key(const guarded<T, Mutex>& g) noexcept {
    return key(g.m_mutex);
  }

#if MORTISE_IS_CHECKED
  MORTISE_API static void declared(const void* before, const void* after) noexcept;
  MORTISE_API static void waived(const void* lock) noexcept;
  MORTISE_API static void reported_by(void (*report)(const char* text)) noexcept;
#else
  static void declared(const void*, const void*) noexcept {}
  static void waived(const void*) noexcept {}
  static void reported_by(void (*)(const char*)) noexcept {}
#endif
};

}  // namespace mortise::inline MORTISE_ABI
