#include <mortise/wait/executor.hpp>

#include <mutex>
#include <utility>

#include <mortise/base/atomic.hpp>
#include <mortise/base/futex.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/base/process_global.hpp>

namespace mortise::inline MORTISE_ABI::wait {
namespace {

// The fallback: one thread, first come first served. Not fast; programs with many coroutines bring a runtime.
//
// Wake ledger: who posts counts `m_posts` up, then wakes. The thread reads the count before it looks for a job, so a post
// that it did not see has changed the word on which it sleeps. Both are relaxed: a count may move into the section of
// m_guard beside it but not through it, so it is on the same side of the other's section as that one is.
class resumer final : public executor {
 public:
  constexpr resumer() = default;

  void start() {
    const std::lock_guard hold{m_guard};
    if (std::exchange(m_started, true)) return;
    os_thread([this] { serve(); }).detach();
  }

  void post(job& j) noexcept override {
    {
      const std::lock_guard hold{m_guard};
      j.next = nullptr;
      (m_tail == nullptr ? m_head : m_tail->next) = &j;
      m_tail = &j;
    }
    // relaxed: the job is under the lock, and who reads this count before taking the lock comes after it there
    m_posts.fetch_add(1, memory_order_relaxed);
    futex_wake(m_posts, 1);
  }

 private:
  void serve() noexcept {
    for (;;) {
      const std::uint32_t seen = m_posts.load(memory_order_relaxed);  // as in post
      if (job* const j = next(); j != nullptr) {
        j->run(*j);
      } else {
        futex_wait(m_posts, seen, never);
      }
    }
  }

  job* next() noexcept {
    const std::lock_guard hold{m_guard};
    job* const j = m_head;
    if (j == nullptr) return nullptr;
    m_head = j->next;
    if (m_head == nullptr) m_tail = nullptr;
    return j;
  }

  os_mutex m_guard;
  job* m_head = nullptr;
  job* m_tail = nullptr;
  bool m_started = false;
  atomic<std::uint32_t> m_posts{0};
};

struct defaults {
  atomic<executor*> chosen{nullptr};
  resumer fallback;
};
constinit process_global<defaults> set;

}  // namespace

executor& default_executor() noexcept {
  // acquire: pairs with set_default_executor, so that the executor is seen as it was constructed
  if (executor* e = set->chosen.load(memory_order_acquire); e != nullptr) return *e;
  set->fallback.start();
  return set->fallback;
}

void set_default_executor(executor* e) noexcept { set->chosen.store(e, memory_order_release); }

}  // namespace mortise::inline MORTISE_ABI::wait
