#pragma once

// A coroutine and an executor that are not ours, as another library would bring them.

#include <coroutine>
#include <cstddef>
#include <exception>
#include <mutex>
#include <utility>

#include <mortise/wait/executor.hpp>

namespace foreign {

// Starts at once, runs to its end wherever it is resumed; destroy() destroys it where it is suspended.
class coroutine {
 public:
  struct promise_type {
    coroutine get_return_object() {
      return coroutine{std::coroutine_handle<promise_type>::from_promise(*this)};
    }
    static std::suspend_never initial_suspend() noexcept { return {}; }
    static std::suspend_always final_suspend() noexcept { return {}; }
    static void return_void() noexcept {}
    static void unhandled_exception() noexcept { std::terminate(); }
  };
  coroutine(coroutine&& o) noexcept : m_frame{std::exchange(o.m_frame, nullptr)} {}
  ~coroutine() { destroy(); }
  void destroy() {
    if (m_frame) std::exchange(m_frame, nullptr).destroy();
  }
  bool done() const { return m_frame.done(); }

 private:
  explicit coroutine(std::coroutine_handle<promise_type> h) : m_frame{h} {}
  std::coroutine_handle<promise_type> m_frame;
};

// Starts at once and destroys itself at its end.
struct detached {
  struct promise_type {
    static detached get_return_object() noexcept { return {}; }
    static std::suspend_never initial_suspend() noexcept { return {}; }
    static std::suspend_never final_suspend() noexcept { return {}; }
    static void return_void() noexcept {}
    static void unhandled_exception() noexcept { std::terminate(); }
  };
};

// Keeps the jobs until it is told to run them, or drops them.
class manual_executor final : public mortise::wait::executor {
 public:
  ~manual_executor() { drop_all(); }

  void post(mortise::wait::job& j) noexcept override {
    const std::lock_guard hold{m_guard};
    j.next = nullptr;
    (m_tail == nullptr ? m_head : m_tail->next) = &j;
    m_tail = &j;
  }
  std::size_t run_all() {
    std::size_t n = 0;
    for (; mortise::wait::job* j = take(); ++n) j->run(*j);
    return n;
  }
  std::size_t drop_all() {
    std::size_t n = 0;
    for (; mortise::wait::job* j = take(); ++n) j->drop(*j);
    return n;
  }
  bool empty() { return size() == 0; }
  std::size_t size() {
    const std::lock_guard hold{m_guard};
    std::size_t n = 0;
    for (const mortise::wait::job* j = m_head; j != nullptr; j = j->next) ++n;
    return n;
  }

 private:
  mortise::wait::job* take() {
    const std::lock_guard hold{m_guard};
    mortise::wait::job* const j = m_head;
    if (j != nullptr) m_head = j->next;
    if (m_head == nullptr) m_tail = nullptr;
    return j;
  }
  std::mutex m_guard;
  mortise::wait::job* m_head = nullptr;
  mortise::wait::job* m_tail = nullptr;
};

}  // namespace foreign
