#pragma once

// An event loop that is not ours: one thread that runs what is posted to it. Foreign coroutines live on it.

#include <condition_variable>
#include <coroutine>
#include <mutex>
#include <thread>

#include <mortise/wait/executor.hpp>

namespace foreign {

class loop final : public mortise::wait::executor {
 public:
  loop() : m_thread{[this](std::stop_token stop) { serve(stop); }} {}

  void post(mortise::wait::job& j) noexcept override {
    {
      const std::lock_guard hold{m_guard};
      j.next = nullptr;
      (m_tail == nullptr ? m_head : m_tail->next) = &j;
      m_tail = &j;
    }
    m_posted.notify_one();
  }

  // `co_await loop.change();`: go on in the loop's thread, behind what is there already.
  class change_operation : mortise::wait::job {
   public:
    explicit change_operation(loop& l) noexcept : m_loop{l} {
      run = [](job& j) noexcept { static_cast<change_operation&>(j).m_frame.resume(); };
    }
    static bool await_ready() noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) noexcept {
      m_frame = h;
      m_loop.post(*this);
    }
    static void await_resume() noexcept {}

   private:
    loop& m_loop;
    std::coroutine_handle<> m_frame;
  };
  [[nodiscard]] change_operation change() noexcept { return change_operation{*this}; }

 private:
  void serve(const std::stop_token& stop) {
    std::unique_lock hold{m_guard};
    while (m_posted.wait(hold, stop, [this] { return m_head != nullptr; })) {
      mortise::wait::job* const j = m_head;
      m_head = j->next;
      if (m_head == nullptr) m_tail = nullptr;
      hold.unlock();
      j->run(*j);
      hold.lock();
    }
  }

  std::mutex m_guard;
  std::condition_variable_any m_posted;
  mortise::wait::job* m_head = nullptr;
  mortise::wait::job* m_tail = nullptr;
  std::jthread m_thread;
};

}  // namespace foreign
