// When a lock may come and go: freed by its next holder at once, used before main and after it.
#include <gtest/gtest.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <new>

#include <mortise/base/sanitizers.hpp>

#include "broken_locks.hpp"
#include "parties.hpp"

namespace conformance {
namespace {

// Memory for one T that can be taken away: a touch is then a segmentation fault, in every build and by whoever.
template <class T>
class page {
 public:
  page()
      : m_size{static_cast<std::size_t>(::sysconf(_SC_PAGESIZE))},
        m_at{::mmap(nullptr, m_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)} {
    if (m_at == MAP_FAILED) throw std::bad_alloc();
  }
  ~page() { ::munmap(m_at, m_size); }
  page(const page&) = delete;
  page& operator=(const page&) = delete;

  T& make() {
    if (::mprotect(m_at, m_size, PROT_READ | PROT_WRITE) != 0) std::abort();
    return *new (m_at) T;
  }
  void destroy(T& t) {
    t.~T();
    if (::mprotect(m_at, m_size, PROT_NONE) != 0) std::abort();
  }

 private:
  std::size_t m_size;
  void* m_at;
};

template <class Traits>
class next_holder : public testing::Test {
 protected:
  using lock = typename Traits::lock;

  // Makes a lock, holds it while `ready` comes true, and frees it: what it touches then is the next one's to free.
  template <class Ready>
  void hold_and_free(Ready ready) {
    Traits::section(*m_lock.load(std::memory_order_acquire), ready);
    while (m_lock.load(std::memory_order_acquire) != nullptr) std::this_thread::yield();
  }
  void destroy(lock& m) {
    m_page.destroy(m);
    m_lock.store(nullptr, std::memory_order_release);
  }

  page<lock> m_page;
  std::atomic<lock*> m_lock{nullptr};
  std::atomic<bool> m_held{false};
  bool m_over = false;
};
using next_holder_locks = list_of<freed_at_once, touches_after_release>::types;
TYPED_TEST_SUITE(next_holder, next_holder_locks, lock_names);

// The bug: unlock touches the lock after the store that frees it. The next holder is another thread that is about to take it,
// or sleeps already.
TYPED_TEST(next_holder, may_free_it_at_once) {
  // A round is some microseconds with a core for each, and some milliseconds on a busy machine.
  constexpr int least = 100, most = 4'000;
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(400);
  std::jthread next([this] {
    for (;;) {
      while (!this->m_held.load(std::memory_order_acquire)) std::this_thread::yield();
      if (this->m_over) break;
      this->m_held.store(false, std::memory_order_release);
      auto& m = *this->m_lock.load(std::memory_order_acquire);
      TypeParam::section(m, [] {});
      this->destroy(m);
    }
  });
  for (int i = 0; i < most && (i < least || std::chrono::steady_clock::now() < end); ++i) {
    auto& m = this->m_page.make();
    this->m_lock.store(&m, std::memory_order_release);
    this->hold_and_free([&] {
      this->m_held.store(true, std::memory_order_release);
      if (i % 4 == 0) {
        if constexpr (TypeParam::waiters_known) await_waiters<TypeParam>(m, 1);
      } else {
        // until it has seen it, and is at the door
        while (this->m_held.load(std::memory_order_acquire)) std::this_thread::yield();
      }
    });
  }
  this->m_over = true;
  this->m_held.store(true, std::memory_order_release);
}

TYPED_TEST(next_holder, may_be_of_any_kind) {  // the bug: it depends on who is woken
  constexpr int rounds = MORTISE_TSAN || MORTISE_ASAN ? 16 : 60;
  stage<TypeParam> parties;
  for (const kind k : all_kinds) {
    if (!serves<TypeParam>(k) || k == kind::foreign_coroutine) continue;
    SCOPED_TRACE(name_of(k));
    for (int i = 0; i < rounds; ++i) {
      auto& m = this->m_page.make();
      this->m_lock.store(&m, std::memory_order_release);
      this->hold_and_free([&] {
        if (k != kind::task) {
          parties.go_free(k, [&, this] {
            TypeParam::section(m, [] {});
            this->destroy(m);
          });
        } else if constexpr (TypeParam::asynchronous) {
          parties.tasks().go([&, this]() -> mortise::task<> {
            { const auto hold = co_await TypeParam::async_hold(m, nullptr); }
            this->destroy(m);
          });
        }
        if (i % 2 == 0) await_waiters<TypeParam>(m, 1);
      });
      parties.join();
    }
  }
}

// ---- before main and after it

template <class Traits>
constinit
    typename Traits::lock global{};  // does not compile unless it is initialised before the program starts

// A lock in earnest: one holds it, another one waits for it.
template <class Traits>
bool works() {
  auto& m = global<Traits>;
  int turns = 0;  // guarded by m
  m.lock();
  std::jthread other([&] {
    const std::lock_guard hold{m};
    ++turns;
  });
  await_waiters<Traits>(m, 1);
  ++turns;
  m.unlock();
  other.join();
  const std::lock_guard hold{m};
  return turns == 2;
}

using constant_locks = list_of<constant, ends_with_its_destructor>::types;

template <class... Traits>
bool all_work(testing::Types<Traits...>*) {
  return (works<Traits>() && ...);
}

void say(const char* when, bool right) {
  std::cerr << (right ? "it works " : "it does not work ") << when << std::endl;
  if (!right) std::_Exit(3);
}

bool (*at_the_end)() = nullptr;

struct first_and_last {
  first_and_last() : worked{all_work(static_cast<constant_locks*>(nullptr))} {}
  ~first_and_last() {
    if (at_the_end != nullptr) say("in the last static destructor", at_the_end());
  }
  bool worked;
};
// Before all others that have no priority, and so its destructor after theirs.
[[gnu::init_priority(101)]] std::ios_base::Init streams;
[[gnu::init_priority(102)]] first_and_last life;

template <class Traits>
class global_lock : public testing::Test {};
TYPED_TEST_SUITE(global_lock, constant_locks, lock_names);

// The bug: a constructor that runs at its own time, after others have used the lock.
TYPED_TEST(global_lock, works_in_static_constructors) {
  EXPECT_TRUE(life.worked);
  EXPECT_TRUE(works<TypeParam>());
}

template <class Traits>
struct in_destructor {
  const char* where;
  ~in_destructor() { say(where, works<Traits>()); }
};

// The bug: the lock, or what its slow path needs, is gone before the last who uses it.
TYPED_TEST(global_lock, works_until_the_very_end) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto end = [] {
    at_the_end = &works<TypeParam>;
    std::thread([] { thread_local const in_destructor<TypeParam> user{"at the end of a thread"}; }).join();
    thread_local const in_destructor<TypeParam> user{"at the end of the main thread"};
    static const in_destructor<TypeParam> other{"in a static destructor"};
    std::atexit([] { say("in an exit handler", works<TypeParam>()); });
    std::exit(0);
  };
  EXPECT_EXIT(
      end(), testing::ExitedWithCode(0),
      "it works at the end of a thread.*it works at the end of the main thread.*it works in an exit handler.*"
      "it works in a static destructor.*it works in the last static destructor");
}

}  // namespace
}  // namespace conformance
