#include <mortise/wait/executor.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>

#include <mortise/base/atomic.hpp>

namespace mortise::inline MORTISE_ABI::wait {
namespace {

// The fallback: one thread, first come first served. Not fast; programs with many coroutines bring a runtime.
class resumer final : public executor {
 public:
  resumer() {
    std::thread([this] { serve(); }).detach();
  }

  void post(job& j) noexcept override {
    {
      const std::lock_guard hold{m_guard};
      j.next = nullptr;
      (m_tail == nullptr ? m_head : m_tail->next) = &j;
      m_tail = &j;
    }
    m_filled.notify_one();
  }

 private:
  void serve() noexcept {
    for (;;) {
      std::unique_lock hold{m_guard};
      m_filled.wait(hold, [this] { return m_head != nullptr; });
      job& j = *m_head;
      m_head = j.next;
      if (m_head == nullptr) m_tail = nullptr;
      hold.unlock();
      j.run(j);
    }
  }

  std::mutex m_guard;
  std::condition_variable m_filled;
  job* m_head = nullptr;
  job* m_tail = nullptr;
};

constinit atomic<executor*> chosen{nullptr};

}  // namespace

executor& default_executor() noexcept {
  // acquire: pairs with set_default_executor, so that the executor is seen as it was constructed
  if (executor* e = chosen.load(memory_order_acquire); e != nullptr) return *e;
  // Never destroyed: it may be in use until the very end of the process.
  static resumer& fallback = *new resumer;
  return fallback;
}

void set_default_executor(executor* e) noexcept { chosen.store(e, memory_order_release); }

}  // namespace mortise::inline MORTISE_ABI::wait
