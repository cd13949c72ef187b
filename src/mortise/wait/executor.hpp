#pragma once

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::wait {

// A piece of work on its way to an executor. Intrusive: posting allocates nothing.
struct job {
  job* next = nullptr;
  void (*run)(job&) noexcept = nullptr;   // exactly one of the two is called, once
  void (*drop)(job&) noexcept = nullptr;  // the executor ends without having run it
};

// Runs jobs later, on threads of its own. What a coroutine that is not a task of ours is resumed on.
class executor {
 public:
  // Takes the job over. Never runs it before returning: an unlock posts, and must not run a stranger's code.
  virtual void post(job& j) noexcept = 0;

 protected:
  ~executor() = default;
};

// Promises
// - E1 A coroutine is resumed on the executor it named, or on the default one, never inside an unlock.
// - E2 A job that is dropped instead of run takes its coroutine out of the queue and passes on what it was offered.
//
// Where coroutines resume that named no executor: what was set last, else one background thread of the
// library that is started on first use.
MORTISE_API executor& default_executor() noexcept;
MORTISE_API void set_default_executor(executor* e) noexcept;

}  // namespace mortise::inline MORTISE_ABI::wait
