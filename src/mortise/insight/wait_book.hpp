#pragma once

#include <array>
#include <optional>
#include <unordered_map>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/base/atomic.hpp>
#include <mortise/base/clock.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/insight/call_stack.hpp>
#include <mortise/insight/dump.hpp>
#include <mortise/wait/observer.hpp>
#include <mortise/wait/particulars.hpp>

namespace mortise::inline MORTISE_ABI::insight {

// A wait that has not ended, as it was when it began.
struct wait_record {
  const wait::waiter* node = nullptr;
  wait::parker* who = nullptr;  // never freed
  wait::party kind = wait::party::thread;
  wait::subject subject{};
  nanos since = 0;           // now_ns
  call_stack at{};           // of no depth where stacks are left out
  wait::particulars more{};  // as it is when the book is read
};

// All waits of the process that are under way, kept while anybody is interested: dump.hpp, deadlock.hpp. Waits that were under way before are
// not in it.
class wait_book final : public wait::observer {
 public:
  static wait_book& of_process() noexcept;

  void open(stacks s, holders h) noexcept;  // counted: closed by as many
  void close(stacks s, holders h) noexcept;
  std::vector<wait_record> all() const;
  // Where what is waited for was waited for first, while stacks were kept; nothing: not known.
  std::optional<call_stack> first_place(const void* what) const;

 private:
  void waits(const wait::waiter& n, wait::subject s) noexcept override;
  void waits_no_more(const wait::waiter& n) noexcept override;
  void moves(const wait::waiter& n, wait::subject s) noexcept override;

  struct alignas(64) shard {
    mutable os_mutex guard;
    std::unordered_map<const wait::waiter*, wait_record> records;
  };
  std::size_t index_of(const wait::waiter& n) const noexcept;

  void keep_first_place(const wait_record& r);
  void forget_all() noexcept;

  static constexpr std::size_t most_first_places = 4096;  // of more locks than that no names are made up
  std::array<shard, 32> m_shards;
  mutable os_mutex m_first_guard;
  std::unordered_map<const void*, call_stack> m_first;
  os_mutex m_guard;
  unsigned m_readers = 0;
  atomic<unsigned> m_stacks{0};  // how many readers want them; relaxed: orders nothing
};

}  // namespace mortise::inline MORTISE_ABI::insight
