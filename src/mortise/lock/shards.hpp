#pragma once

#include <mortise/base/abi.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <mutex>

#include <mortise/base/fork.hpp>

namespace mortise::inline MORTISE_ABI::lock_detail {

// A table that locks keep beside themselves: several, each with a lock, which are held over forks. `Table` is a type of its own, and so are
// its shards; the file that uses them has
//     [[maybe_unused]] const auto& made_at_load = shards<table, 8>::all();
// so that they are made when there is no thread yet to fork amid their first use.
// Requires: who is in one shard enters no other.
template <class Table, std::size_t Count>
class shards {
 public:
  struct shard {
    std::mutex guard;
    Table table;
  };
  static constexpr std::size_t many = Count;
  static inline std::array<shard, Count>* kept = nullptr;  // null: not made yet; for the debugger

  static std::array<shard, Count>& all() {
    static auto& made = make();
    return made;
  }

  // The shard of `key`, locked while this lives.
  class of {
   public:
    explicit of(const void* key) : of{all()[std::hash<const void*>{}(key) / 64 % Count]} {}
    Table* operator->() const noexcept { return &m_shard.table; }
    Table& operator*() const noexcept { return m_shard.table; }

   private:
    explicit of(shard& s) : m_shard{s}, m_hold{s.guard} {}
    shard& m_shard;
    const std::lock_guard<std::mutex> m_hold;
  };

 private:
  // Never destroyed: locks are used until the very end of the process.
  static std::array<shard, Count>& make() {
    kept = new std::array<shard, Count>;
    constexpr auto give_back = [] {
      for (shard& s : *kept) s.guard.unlock();
    };
    at_fork(
        [] {
          for (shard& s : *kept) s.guard.lock();
        },
        give_back, give_back);
    return *kept;
  }
};

}  // namespace mortise::inline MORTISE_ABI::lock_detail
