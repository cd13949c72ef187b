// Every mix of three waiters on one mutex: OS threads, and fibers and coroutines as tasks of a runtime with one worker, which is
// the real one down to its futex. Fibers and coroutines let others run while they hold the lock, so that their peers on the same
// worker have to wait as well.
#include <optional>

#include <explore/shared_section.hpp>
#include <explore/verify.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/task/go.hpp>
#include <mortise/task/runtime.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task_scope.hpp>

namespace {

using explore::require;
using explore::scoped_thread;
using section = explore::shared_section<mortise::mutex>;

void as_fiber(section& s) {
  const std::lock_guard hold{s.m};
  s.enter();
  mortise::yield();
  s.leave();
}

mortise::task<> as_coroutine(section& s) {
  const auto hold = co_await s.m.async_lock();
  s.enter();
  co_await mortise::async_yield();
  s.leave();
}

void mix(int threads, int fibers, int coroutines) {
  section s;
  {
    std::optional<mortise::runtime> rt;
    std::optional<mortise::task_scope> tasks;
    if (fibers + coroutines != 0) {
      rt.emplace(mortise::runtime_options{.workers = 1, .stack_size = 16384, .precise_sleep = false});
      tasks.emplace(*rt);
    }
    std::optional<scoped_thread> a, b;
    if (threads > 1) a.emplace("a", [&] { s.lock_and_pass(); });
    if (threads > 2) b.emplace("b", [&] { s.lock_and_pass(); });
    for (int i = 0; i < fibers; ++i) tasks->go([&s] { as_fiber(s); });
    for (int i = 0; i < coroutines; ++i) tasks->go([&s] { return as_coroutine(s); });
    if (threads > 0) s.lock_and_pass();
    if (tasks) tasks->join();
  }
  require(s.passed == threads + fibers + coroutines, "all came through");
}

// The bug: a party of one kind that is forgotten, woken twice or let in together with one of another kind.
EXPLORE(kinds, thread_thread_thread, {.preemptions = 3}) { mix(3, 0, 0); }
EXPLORE(kinds, thread_thread_fiber) { mix(2, 1, 0); }
EXPLORE(kinds, thread_thread_coroutine) { mix(2, 0, 1); }
EXPLORE(kinds, thread_fiber_fiber) { mix(1, 2, 0); }
EXPLORE(kinds, thread_fiber_coroutine) { mix(1, 1, 1); }
EXPLORE(kinds, thread_coroutine_coroutine) { mix(1, 0, 2); }
EXPLORE(kinds, fiber_fiber_fiber) { mix(0, 3, 0); }
EXPLORE(kinds, fiber_fiber_coroutine) { mix(0, 2, 1); }
EXPLORE(kinds, fiber_coroutine_coroutine) { mix(0, 1, 2); }
EXPLORE(kinds, coroutine_coroutine_coroutine) { mix(0, 0, 3); }

}  // namespace
