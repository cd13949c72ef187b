// The runtime under every schedule: its inbox, idle workers, parking, scopes, timers and stealing, all of it the real code.
// Each opens with the bug that it would show; a lost wake leaves a model with nobody who can go on.
#include <mortise/task/runtime.hpp>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <stop_token>

#include <explore/verify.hpp>
#include <mortise/task/counter.hpp>
#include <mortise/task/go.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task_scope.hpp>
#include <mortise/wait/context.hpp>

namespace {

using namespace std::chrono_literals;
using explore::require;
using explore::scoped_thread;
namespace wait = mortise::wait;

mortise::runtime_options with_workers(unsigned n) {
  return {.workers = n, .stack_size = 16384, .precise_sleep = false};
}

// A worker that goes to sleep while the runtime ends: found here, it overwrote the wake that said so.
EXPLORE(runtime, ends_while_its_worker_goes_idle, {.preemptions = 1, .deviations = 3}) {
  mortise::runtime rt{with_workers(1)};
  mortise::task_scope tasks{rt};
  tasks.go([] {});
}

// A task that is sent while the worker goes idle (R1).
EXPLORE(runtime, a_task_sent_while_the_worker_goes_idle_runs, {.deviations = 1}) {
  int ran = 0;
  {
    mortise::runtime rt{with_workers(1)};
    mortise::task_scope tasks{rt};
    tasks.go([&] { ++ran; });
    tasks.join();
    tasks.go([&] { ++ran; });
    tasks.join();
  }
  require(ran == 2, "both ran");
}

}  // namespace
