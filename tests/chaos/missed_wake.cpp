// missed_wake faulty|sound: two threads meet at a lock, round after round. The faulty one looks for waiters before it frees
// the lock: who comes in between sleeps, and nobody wakes it. 1: somebody slept although the lock was free.
#include <barrier>
#include <cstdio>
#include <string_view>
#include <thread>

#include <mortise/base/atomic.hpp>
#include <mortise/base/futex.hpp>

namespace {

class lock_of_two {
 public:
  explicit lock_of_two(bool faulty) : m_faulty{faulty} {}

  // False: it slept for two seconds, and nobody had it.
  bool lock() noexcept {
    if (m_word.exchange(1) == 0) return true;
    m_waiters.fetch_add(1);
    while (m_word.exchange(1) != 0) {
      const mortise::nanos deadline = mortise::now_ns() + 2'000'000'000;
      mortise::futex_wait(m_word, 1, deadline);
      if (mortise::now_ns() >= deadline && m_word.load() == 0) return false;
    }
    m_waiters.fetch_sub(1);
    return true;
  }

  void unlock() noexcept {
    if (m_faulty) {
      const bool owes_a_wake = m_waiters.load() != 0;
      m_word.store(0);
      if (owes_a_wake) mortise::futex_wake(m_word, 1);
    } else {
      m_word.store(0);
      if (m_waiters.load() != 0) mortise::futex_wake(m_word, 1);
    }
  }

 private:
  const bool m_faulty;
  mortise::atomic<std::uint32_t> m_word{0};
  mortise::atomic<std::uint32_t> m_waiters{0};
};

}  // namespace

int main(int argc, char** argv) {
  constexpr int rounds = 2000;
  const std::string_view what = argc > 1 ? argv[1] : "";
  if (what != "faulty" && what != "sound") return 2;
  lock_of_two lock{what == "faulty"};
  std::barrier meet{2};
  bool missed[2] = {false, false};
  auto party = [&](int me) {
    for (int i = 0; i < rounds && !missed[0] && !missed[1]; ++i) {
      meet.arrive_and_wait();
      if (lock.lock()) {
        lock.unlock();
      } else {
        missed[me] = true;
      }
      meet.arrive_and_wait();  // both have seen who missed what
    }
  };
  {
    std::jthread other{party, 1};
    party(0);
  }
  if (!missed[0] && !missed[1]) return 0;
  std::puts("a wake was missed");
  return 1;
}
