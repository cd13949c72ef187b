#include <mortise/task/scope_core.hpp>

#include <mutex>
#include <utility>

#include <mortise/base/fatal.hpp>
#include <mortise/base/fork.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/process_global.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {
struct scopes {
  os_mutex guard;
  scope_core* free = nullptr;
};
constinit process_global<scopes> pool;
}  // namespace

void scope_core::failed(std::exception_ptr e) noexcept {
  if (detached) unjoined_exception(e);
  int expected = 0;
  // relaxed: the winner alone writes m_error, and the joiner reads it after S1
  if (m_has_error.compare_exchange_strong(expected, 1, memory_order_relaxed)) m_error = std::move(e);
}

std::exception_ptr scope_core::take_error() noexcept {
  m_has_error.store(0, memory_order_relaxed);  // after S1: no task lives
  return std::exchange(m_error, nullptr);
}

scope_core& take_scope(runtime_core& home, bool detached) {
  std::stop_source stop = detached ? std::stop_source{std::nostopstate} : std::stop_source{};
  scope_core* s = nullptr;
  hold_over_forks<pool>();
  {
    const std::lock_guard hold{pool->guard};
    s = pool->free;
    if (s != nullptr) pool->free = s->next_free;
  }
  if (s == nullptr) s = new scope_core;
  s->home = &home;
  s->detached = detached;
  s->stop = std::move(stop);
  s->joiner.store(nullptr, memory_order_relaxed);  // not yet shared
  return *s;
}

void recycle(scope_core& s) noexcept {
  s.stop = std::stop_source{std::nostopstate};
  const std::lock_guard hold{pool->guard};
  s.next_free = pool->free;
  pool->free = &s;
}

void unjoined_exception(const std::exception_ptr& e) noexcept {
  try {
    std::rethrow_exception(e);
  } catch (const std::exception& x) {
    fatal("a task ended with an exception that nobody joined for: %s", x.what());
  } catch (...) {
    fatal("a task ended with an exception that nobody joined for, which is not a std::exception");
  }
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
