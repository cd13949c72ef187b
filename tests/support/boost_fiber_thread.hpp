#pragma once

// An OS thread that runs what it is given in fibers of Boost.Fiber.

#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <boost/fiber/fiber.hpp>
#include <boost/fiber/fixedsize_stack.hpp>

#include <support/boost_fiber_context.hpp>

namespace foreign {

class boost_fiber_thread {
 public:
  boost_fiber_thread() : m_thread{[this] { serve(); }} {}
  // Waits until all of them have ended.
  ~boost_fiber_thread() {
    {
      const std::lock_guard hold{m_guard};
      m_over = true;
      wake();
    }
    m_thread.join();
  }

  void go(std::function<void()> f) {
    const std::lock_guard hold{m_guard};
    m_given.push_back(std::move(f));
    wake();
  }

 private:
  void wake() {
    if (m_server != nullptr) m_server->unpark();
  }

  void serve() {
    const boost_fibers::here installed;
    mortise::wait::parker& me = mortise::wait::this_context().self();
    unsigned running = 0;  // of this thread's fibers, which take turns
    for (;;) {
      std::vector<std::function<void()>> given;
      {
        const std::lock_guard hold{m_guard};
        m_server = &me;
        given.swap(m_given);
        if (given.empty() && running == 0 && m_over) return;
      }
      for (auto& f : given) {
        ++running;
        boost::fibers::fiber{boost::fibers::launch::post, std::allocator_arg,
                             boost::fibers::fixedsize_stack{256 * 1024},
                             [&running, &me, f = std::move(f)] {
                               f();
                               if (--running == 0) me.unpark();
                             }}
            .detach();
      }
      mortise::wait::this_context().park(mortise::never);
    }
  }

  std::mutex m_guard;
  std::vector<std::function<void()>> m_given;
  bool m_over = false;
  mortise::wait::parker* m_server = nullptr;
  std::thread m_thread;
};

}  // namespace foreign
