#include <mortise/wait/executor.hpp>

#include <exception>
#include <mutex>

#include <mortise/base/atomic.hpp>
#include <mortise/base/fatal.hpp>
#include <mortise/base/fork.hpp>
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
    const std::lock_guard hold{guard};
    start_under_guard();
  }

  void post(job& j) noexcept override {
    {
      const std::lock_guard hold{guard};
      j.next = nullptr;
      (m_tail == nullptr ? m_head : m_tail->next) = &j;
      m_tail = &j;
      try {
        start_under_guard();  // in a child of fork it may have to be started once more
      } catch (const std::exception& e) {
        fatal("no thread to resume coroutines on: %s", e.what());
      }
    }
    // relaxed: the job is under the lock, and who reads this count before taking the lock comes after it there
    m_posts.fetch_add(1, memory_order_relaxed);
    futex_wake(m_posts, 1);
  }

  // In a forked child there is no thread. What was posted is the parent's, which runs it.
  void in_child() noexcept {
    m_started = false;
    m_head = m_tail = nullptr;
  }

  os_mutex guard;

 private:
  void start_under_guard() {
    if (m_started) return;
    os_thread([this] { serve(); }).detach();
    m_started = true;
  }

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
    const std::lock_guard hold{guard};
    job* const j = m_head;
    if (j == nullptr) return nullptr;
    m_head = j->next;
    if (m_head == nullptr) m_tail = nullptr;
    return j;
  }

  job* m_head = nullptr;
  job* m_tail = nullptr;
  bool m_started = false;
  atomic<std::uint32_t> m_posts{0};
};

// acquire and release: an executor is seen as it was constructed
constinit process_global<atomic<executor*>> chosen;
constinit process_global<resumer> fallback;

}  // namespace

executor& default_executor() noexcept {
  if (executor* e = chosen->load(memory_order_acquire); e != nullptr) return *e;
  hold_over_forks<fallback>();
  fallback->start();
  return *fallback;
}

void set_default_executor(executor* e) noexcept { chosen->store(e, memory_order_release); }

}  // namespace mortise::inline MORTISE_ABI::wait
