#pragma once

// The smallest context there is, as another fiber library would bring one: it parks on a std::condition_variable.

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include <mortise/wait/context.hpp>

namespace foreign {

class context final : public mortise::wait::context, public mortise::wait::parker {
 public:
  void unpark() noexcept override {
    {
      const std::lock_guard hold{m_guard};
      m_permit = true;
    }
    m_changed.notify_one();
  }
  mortise::wait::parker& self() noexcept override { return *this; }
  void park(mortise::nanos deadline) noexcept override {
    ++parks;
    std::unique_lock hold{m_guard};
    auto has_permit = [this] { return m_permit; };
    if (deadline == mortise::never) {
      m_changed.wait(hold, has_permit);
    } else {
      m_changed.wait_until(hold, mortise::steady::time_point{std::chrono::nanoseconds{deadline}}, has_permit);
    }
    m_permit = false;
  }
  void yield() noexcept override { std::this_thread::yield(); }
  mortise::wait::party kind() const noexcept override {
    return mortise::wait::party::thread;
  }  // it blocks it
  int refill_budget() noexcept override { return 1000; }
  mortise::wait::parker* suspend_coroutine(void*, mortise::wait::waiter*) noexcept override {
    return nullptr;
  }
  unsigned long id() const noexcept override { return m_id; }

  int parks = 0;

 private:
  inline static std::atomic<unsigned long> s_made{0};
  const unsigned long m_id = ++s_made;
  std::mutex m_guard;
  std::condition_variable m_changed;
  bool m_permit = false;
};

// One of these contexts, installed on the calling thread while this lives. They are recycled and never freed, since a
// waker may be late.
class in_context {
 public:
  in_context() : m_mine{take()} { mortise::wait::exchange_context(m_mine); }
  ~in_context() {
    mortise::wait::exchange_context(nullptr);
    const std::lock_guard hold{s_guard};
    free().push_back(m_mine);
  }
  in_context(const in_context&) = delete;
  in_context& operator=(const in_context&) = delete;

 private:
  static context* take() {
    const std::lock_guard hold{s_guard};
    if (free().empty()) return new context;
    context* const c = free().back();
    free().pop_back();
    return c;
  }
  inline static std::mutex s_guard;
  static std::vector<context*>& free() {
    static auto& contexts = *new std::vector<context*>;  // never destroyed either
    return contexts;
  }
  context* m_mine;
};

}  // namespace foreign
