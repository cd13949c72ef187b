#include <mortise/base/fork.hpp>

#include <pthread.h>

#include <mortise/base/fatal.hpp>

namespace mortise::inline MORTISE_ABI {

namespace {

void add_handlers(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept {
  const int error = ::pthread_atfork(before, in_parent, in_child);
  if (error != 0) fatal("cannot prepare for fork (errno %d)", error);
}

// In the child handlers run in the order in which they were added; as the program is loaded, when there is no thread yet to fork amid it.
bool count_forks() noexcept {
  static const bool once = [] {
    // relaxed: the child has one thread
    add_handlers(nullptr, nullptr, [] { fork_detail::forks.fetch_add(1, memory_order_relaxed); });
    return true;
  }();
  return once;
}
[[maybe_unused]] const bool counted_since_load = count_forks();

}  // namespace

constinit atomic<unsigned> fork_detail::forks{0};

void at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept {
  count_forks();
  add_handlers(before, in_parent, in_child);
}

}  // namespace mortise::inline MORTISE_ABI
