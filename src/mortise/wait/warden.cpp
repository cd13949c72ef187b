#include <mortise/wait/warden.hpp>

#include <mutex>
#include <system_error>
#include <vector>

#include <mortise/base/atomic.hpp>
#include <mortise/base/fork.hpp>
#include <mortise/base/futex.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/base/process_global.hpp>
#include <mortise/wait/offer.hpp>

namespace mortise::inline MORTISE_ABI::wait {
namespace {

constexpr nanos tick = offer_bound / 2;

struct entry {
  void* lock;
  examine_lock examine;
};

class warden {
 public:
  constexpr warden() = default;

  bool watch(entry e) noexcept {
    const std::lock_guard hold{guard};
    try {
      if (!m_started) {
        os_thread([this] { serve(); }).detach();
        m_started = true;
      }
      m_watched.push_back(e);
    } catch (const std::exception&) {
      return false;
    }
    if (m_watched.size() == 1) {
      // release: pairs with serve's acquire; the list itself is under the lock
      m_busy.store(1, memory_order_release);
      futex_wake(m_busy, 1);
    }
    return true;
  }

  void unwatch(void* lock) noexcept {
    const std::lock_guard hold{guard};
    for (entry& e : m_watched) {
      if (e.lock != lock) continue;
      e = m_watched.back();
      m_watched.pop_back();
      return;
    }
  }

  // In a forked child there is no thread, and no lock of the parent has waiters that live here.
  void in_child() noexcept {
    m_started = false;
    m_watched.clear();
  }

  os_mutex guard;

 private:
  void serve() noexcept {
    for (;;) {
      futex_wait(m_busy, 0, never);
      // relaxed: only decides whether to look at the list again, which is read under the lock
      while (m_busy.load(memory_order_relaxed) != 0) {
        sleep_this_thread_until(now_ns() + tick);
        for (std::size_t i = 0; look_at(i); ++i) {}
      }
    }
  }

  // False: there is no such entry. Wakes with the list left: an executor's `post` may use locks that need it. What moves to the
  // place of one that is taken off meanwhile is looked at in the next tick.
  bool look_at(std::size_t i) noexcept {
    offer next;
    {
      const std::lock_guard hold{guard};
      if (m_watched.empty()) m_busy.store(0, memory_order_relaxed);
      if (i >= m_watched.size()) return false;
      m_watched[i].examine(m_watched[i].lock, next);
    }
    next.wake();
    return true;
  }

  std::vector<entry> m_watched;
  bool m_started = false;
  atomic<std::uint32_t> m_busy{0};
};

constinit process_global<warden> the_warden;

}  // namespace

bool watch(void* lock, examine_lock examine) noexcept {
  hold_over_forks<the_warden>();
  return the_warden->watch({lock, examine});
}
void unwatch(void* lock) noexcept { the_warden->unwatch(lock); }

}  // namespace mortise::inline MORTISE_ABI::wait
