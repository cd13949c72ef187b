// The functions of base/ that talk to the operating system, as a model build has them.
#include <cstdarg>
#include <cstdio>

#include <explore/memory.hpp>
#include <explore/os.hpp>
#include <mortise/base/age_clock.hpp>
#include <mortise/base/fatal.hpp>
#include <mortise/base/futex.hpp>
#include <mortise/base/membarrier.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/base/restartable.hpp>

namespace explore {

nanos now() noexcept { return engine::instance().active() ? engine::instance().now() : 1; }
void await_change() noexcept { memory::instance().await_change(); }

void relax() noexcept {
  const inside here;
  if (engine::instance().active()) engine::instance().yield();
}

void os_mutex::lock() {
  if (engine::instance().active()) memory::instance().lock_os_mutex(&m_address);
}
bool os_mutex::try_lock() {
  return !engine::instance().active() || memory::instance().try_lock_os_mutex(&m_address);
}
void os_mutex::unlock() {
  if (engine::instance().active()) memory::instance().unlock_os_mutex(&m_address);
}

void os_thread::start(void (*body)(void*), void* argument) {
  const inside here;
  m_id = engine::instance().spawn(body, argument);
}

os_thread::~os_thread() {
  if (joinable() && engine::instance().active()) {
    const inside here;
    engine::instance().fail("a thread is neither joined nor detached");
  }
}

void os_thread::join() {
  const inside here;
  engine& e = engine::instance();
  const thread& other = e.at(std::exchange(m_id, none));
  if (other.waits != waiting::finished) e.block(waiting::join, &other);
  memory::instance().joined(e.current(), other);
}

void os_thread::detach() {
  engine::instance().at(m_id).daemon = true;
  m_id = none;
}

}  // namespace explore

namespace mortise::inline MORTISE_ABI {

void fatal(const char* format, ...) noexcept {
  char line[512] = "mortise: ";
  va_list args;
  va_start(args, format);
  std::vsnprintf(line + 9, sizeof line - 9, format, args);
  va_end(args);
  const explore::inside here;
  explore::engine::instance().fail(line);
}

void futex_wait(const atomic<std::uint32_t>& word, std::uint32_t expected, nanos deadline) noexcept {
  const explore::inside here;
  explore::engine& e = explore::engine::instance();
  explore::memory::instance().point_that_drains(&word);
  if (explore::memory::instance().value_for_futex(&word) != expected)
    return e.trace("futex wait: the value is another");
  if (e.options().spurious && e.deviates()) return e.trace("futex wait ends without a reason");
  e.trace("sleeps");
  const bool woken = e.block(explore::waiting::futex, &word, deadline);
  e.trace(woken ? "wakes" : "wakes by its deadline");
}

void futex_wake(const atomic<std::uint32_t>& word, int count) noexcept {
  const explore::inside here;
  explore::engine& e = explore::engine::instance();
  explore::memory::instance().point_that_drains(&word);
  explore::memory::instance().system_call(&word);
  e.trace("futex wake");
  e.wake(&word, explore::waiting::futex, count);
}

bool membarrier_available() noexcept { return explore::engine::instance().options().membarrier; }
void membarrier() noexcept { explore::memory::instance().membarrier(); }

bool restartable::in_use() noexcept { return membarrier_available(); }
void restartable::interrupt_all() noexcept { membarrier(); }

nanos age_clock_now() noexcept { return now_ns(); }
bool counter_is_trusted() noexcept { return false; }

void name_thread(os_thread& t, const char* name) noexcept {
  const explore::inside here;
  explore::engine::instance().at(t.id()).name = name;
}

void sleep_this_thread_until(nanos deadline) noexcept {
  const explore::inside here;
  explore::engine& e = explore::engine::instance();
  explore::memory::instance().drain_in_view(e.current());
  // A state of its own: from here on it wakes by its deadline.
  if (e.now_as_it_is() < deadline) explore::memory::instance().own_event(e.current(), 0x51ee9);
  while (e.now_as_it_is() < deadline) e.block(explore::waiting::sleep, nullptr, deadline);
}

void yield_this_thread() noexcept { explore::relax(); }

void at_thread_exit(void (*leave)(void* value), void* value) noexcept {
  explore::thread& t = explore::engine::instance().current();
  t.at_exit = leave;
  t.at_exit_value = value;
}

}  // namespace mortise::inline MORTISE_ABI
