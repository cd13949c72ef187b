#include <mortise/task/sleep.hpp>

#include <mortise/base/fatal.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/task/go.hpp>
#include <mortise/task/worker.hpp>

namespace mortise::inline MORTISE_ABI {
namespace task_detail {
namespace {

// A coroutine that no worker of ours runs goes on in a fiber of the default runtime.
template <class Wait>
void resume_in_a_fiber(void* frame, Wait wait) noexcept {
  try {
    go(runtime::default_runtime(), [frame, wait] {
      wait();
      std::coroutine_handle<>::from_address(frame).resume();
    });
  } catch (const std::exception& e) {
    fatal("a coroutine of another library cannot be resumed: %s", e.what());
  }
}

// Wakes `who` at `deadline` or when stop is requested, from a fiber of the default runtime.
void wake_later(wait::parker& who, nanos deadline, const std::stop_token& stop) noexcept {
  try {
    go(runtime::default_runtime(), [&who, deadline, stop] {
      sleep_until(deadline, stop);
      who.unpark();
    });
  } catch (const std::exception& e) {
    fatal("no timer for a coroutine of another library: %s", e.what());
  }
}

}  // namespace

void sleep_until(nanos deadline) noexcept {
  if (worker* const w = worker::current(); w != nullptr && w->running() != nullptr) {
    w->sleep_until(deadline);
  } else {
    sleep_this_thread_until(deadline);
  }
}

void sleep_for(nanos d) noexcept {
  if (worker* const w = worker::current(); w != nullptr && w->running() != nullptr) {
    w->sleep_until(w->deadline_after(d));
  } else {
    sleep_this_thread_until(deadline_after(std::chrono::nanoseconds{d}));
  }
}

bool sleep_until(nanos deadline, std::stop_token stop) {
  wait::parker& me = wait::this_context().self();
  const std::stop_callback on_stop{stop, [&me] { me.unpark(); }};
  while (!stop.stop_requested()) {
    if (now_ns() >= deadline) return true;
    wait::this_context().park(deadline);
  }
  return false;
}

void async_sleep(void* frame, bool native, nanos when) noexcept {
  worker* const w = native ? worker::current() : nullptr;
  if (w != nullptr && w->sleep_coroutine(frame, when < 0 ? w->deadline_after(-when) : when)) return;
  const nanos deadline = when < 0 ? deadline_after(std::chrono::nanoseconds{-when}) : when;
  resume_in_a_fiber(frame, [deadline] { sleep_until(deadline); });
}

void async_yield(void* frame, bool native) noexcept {
  worker* const w = native ? worker::current() : nullptr;
  if (w != nullptr && w->yield_coroutine(frame)) return;
  resume_in_a_fiber(frame, [] {});
}

}  // namespace task_detail

void yield() noexcept { wait::this_context().yield(); }

void async_stoppable_sleep_operation::suspend(void* frame, bool native) {
  using task_detail::worker;
  wait::parker& me = wait::coroutine_parker(frame, *this, native, nullptr);
  who = &me;
  worker* const w = worker::current();
  if (native && w != nullptr && &me == w->running()) {
    m_limited = w->running();
    m_armed = &w->own_timers();
    w->limit_suspension(m_deadline);
    // If stop has been requested already this wakes at once; even so the worker resumes the coroutine only
    // after this step.
    m_on_stop.emplace(m_stop, wake{&me});
  } else {
    task_detail::wake_later(me, m_deadline, m_stop);
    me.has_suspended();  // the frame may be running elsewhere from here on
  }
}

bool async_stoppable_sleep_operation::await_resume() noexcept {
  m_on_stop.reset();
  if (m_limited != nullptr) task_detail::worker::end_of_limit(*m_limited, m_armed);
  return now_ns() >= m_deadline;
}

}  // namespace mortise::inline MORTISE_ABI
