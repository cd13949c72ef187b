#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <app/run/scope.hpp>
#include <app/run/shared_pages.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/shm/guarded.hpp>
#include <mortise/shm/map.hpp>
#include <mortise/task/sleep.hpp>
#include <mortise/task/task.hpp>

// What the processes of a run share: the seed's map, with what it takes to see that it is whole.
namespace app {

template <class Map>
struct run_state_with {
  Map map;
  std::uint64_t writes;    // how many there were: one that another overwrote is missing
  std::uint64_t token;     // of the last one
  std::uint64_t checksum;  // of all that, and last in the value

  static run_state_with empty() {
    run_state_with s{};
    s.seal();
    return s;
  }
  // After each change. A value is whole if it is as somebody sealed it.
  void seal() noexcept { checksum = sum(); }
  bool whole() const noexcept { return checksum == sum(); }

 private:
  static constexpr std::uint64_t mixed(std::uint64_t x) noexcept {  // the finaliser of splitmix64
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }
  std::uint64_t sum() const noexcept {
    std::uint64_t s = mixed(writes * 0x9e3779b97f4a7c15 + token);
    for (const auto& [key, value] : map) {
      s += mixed(static_cast<std::uint64_t>(static_cast<std::uint32_t>(key)) << 32 |
                 static_cast<std::uint32_t>(value));
    }
    return mixed(s);
  }
};

// In memory that processes share.
using run_state = run_state_with<mortise::shm::map<int, int, most_shared_keys>>;

// Without a lock a map of that kind may have filled up with what nobody wrote.
template <class Map>
void make_room(Map& map, int key) {
  if constexpr (requires { map.full(); }) {
    if (map.full() && !map.contains(key)) map.clear();
  }
}

// The control: the same value and the same calls, and nothing guards it. Its words are atomics, so that this is no data
// race, and with every 16th write the writer sleeps before the last word, as an unlucky preemption would have it.
template <class T>
class unguarded {
  static_assert(sizeof(T) % sizeof(std::uint64_t) == 0 && std::is_trivially_copyable_v<T>);
  static constexpr std::size_t words = sizeof(T) / sizeof(std::uint64_t);
  static constexpr std::chrono::microseconds unlucky{100};

 public:
  explicit unguarded(const T& initial) : m_words{make_shared_pages<mortise::atomic<std::uint64_t>>(words)} {
    store(initial, 0, words);
  }

  template <class F>
  auto read(F f) const {
    return f(load());
  }
  template <class F>
  bool update(F f) {
    T value = load();
    f(value, mortise::shm::tenure{});
    store(value, 0, words - 1);
    if (value.writes % 16 == 1) mortise::sleep_for(unlucky);
    store(value, words - 1, words);
    return true;
  }
  template <class F>
  auto async_read(F f) const -> mortise::task<decltype(f(std::declval<const T&>()))> {
    co_return f(load());
  }
  template <class F>
  mortise::task<bool> async_update(F f) {
    T value = load();
    f(value, mortise::shm::tenure{});
    store(value, 0, words - 1);
    if (value.writes % 16 == 1) co_await mortise::async_sleep_for(unlucky);
    store(value, words - 1, words);
    co_return true;
  }

 private:
  using image = std::array<std::uint64_t, words>;
  // relaxed, both: without a lock nothing is ordered
  T load() const noexcept {
    image copy;
    for (std::size_t i = 0; i < words; ++i) copy[i] = m_words[i].load(mortise::memory_order_relaxed);
    return std::bit_cast<T>(copy);
  }
  void store(const T& value, std::size_t from, std::size_t to) noexcept {
    const auto copy = std::bit_cast<image>(value);
    for (std::size_t i = from; i < to; ++i) m_words[i].store(copy[i], mortise::memory_order_relaxed);
  }

  std::unique_ptr<mortise::atomic<std::uint64_t>[], unmap> m_words;
};

}  // namespace app
