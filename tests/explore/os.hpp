#pragma once

// What of the operating system a model build replaces, see mortise/base.

#include <cstdint>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include <explore/memory.hpp>

namespace explore {

nanos now() noexcept;
void await_change() noexcept;
void relax() noexcept;

class os_mutex {
 public:
  constexpr os_mutex() noexcept = default;
  os_mutex(const os_mutex&) = delete;
  os_mutex& operator=(const os_mutex&) = delete;
  void lock();
  bool try_lock();
  void unlock();

 private:
  unsigned char m_address = 0;
};

class os_thread {
 public:
  os_thread() noexcept = default;
  template <class F>
    requires(!std::is_same_v<std::decay_t<F>, os_thread>)
  explicit os_thread(F&& f) {
    using callable = std::decay_t<F>;
    auto* const kept = new callable(std::forward<F>(f));
    start(
        [](void* p) {
          auto* const run = static_cast<callable*>(p);
          (*run)();
          delete run;
        },
        kept);
  }
  os_thread(os_thread&& o) noexcept : m_id{std::exchange(o.m_id, none)} {}
  os_thread& operator=(os_thread&& o) noexcept {
    m_id = std::exchange(o.m_id, none);
    return *this;
  }
  ~os_thread();
  void join();
  void detach();
  bool joinable() const noexcept { return m_id != none; }
  unsigned id() const noexcept { return m_id; }

 private:
  static constexpr unsigned none = ~0u;
  void start(void (*body)(void*), void* argument);
  unsigned m_id = none;
};

// A scenario's thread: joined when it goes out of scope.
class scoped_thread : public os_thread {
 public:
  template <class F>
  explicit scoped_thread(const char* name, F&& f) : os_thread(std::forward<F>(f)) {
    engine::instance().at(id()).name = name;
  }
  ~scoped_thread() {
    if (joinable()) join();
  }
};

// Each virtual thread has its own, as it was initialised, in each execution.
template <class T>
class per_thread {
 public:
  constexpr per_thread(T initial) noexcept : m_initial{initial} {}
  operator T() const noexcept { return slot(); }
  per_thread& operator=(T v) noexcept {
    slot() = v;
    return *this;
  }

 private:
  struct own {
    std::uint64_t execution = 0;
    T value{};
  };
  T& slot() const noexcept {
    engine& e = engine::instance();
    own& mine = m_own[e.active() ? e.current().id : 0];
    if (mine.execution != e.execution()) {
      mine.execution = e.execution();
      mine.value = m_initial;
    }
    return mine.value;
  }
  T m_initial;
  mutable own m_own[most_threads] = {};
};

// A fresh one in each execution.
template <class T>
class process_global {
 public:
  constexpr process_global() noexcept = default;
  process_global(const process_global&) = delete;
  process_global& operator=(const process_global&) = delete;
  T* operator->() noexcept { return &get(); }
  T& operator*() noexcept { return get(); }

 private:
  T& get() noexcept {
    engine& e = engine::instance();
    if (m_execution != e.execution()) {
      m_execution = e.execution();
      const bool before = memory::instance().set_static_initialisation(true);
      m_value = ::new (m_room) T{};
      memory::instance().set_static_initialisation(before);
    }
    return *m_value;
  }
  alignas(T) unsigned char m_room[sizeof(T)] = {};
  T* m_value = nullptr;
  std::uint64_t m_execution = 0;
};

}  // namespace explore
