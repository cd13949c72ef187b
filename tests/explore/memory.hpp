#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>
#include <unordered_map>
#include <utility>
#include <vector>

#include <explore/engine.hpp>

namespace explore {

enum class order : unsigned char { relaxed, acquire, release, acq_rel, seq_cst };

struct store_event {
  std::uint64_t value = 0;
  vector_clock released;            // what one who acquires it has seen
  std::vector<std::uint32_t> view;  // weak: the same, by location
};

// What is known of one address in an execution.
struct location {
  const void* address = nullptr;
  void* cell =
      nullptr;  // where the latest value also stands, so that it is there when the location is first looked at
  unsigned size = 0;
  unsigned index = 0;  // dense
  std::uint64_t initial = 0;
  std::vector<store_event> history;  // in modification order; tso: the last one only
  std::uint64_t version = 0;         // how many stores
  std::uint32_t newest_seq_cst = 0;  // weak: no seq_cst load sees an older one
  std::uint64_t writes = 0;          // hash of the happens-before order: the last write, and the reads since
  std::uint64_t reads = 0;
  std::uint32_t touched[most_threads] = {};  // when each thread last accessed it, by its own clock
  std::uint32_t wrote[most_threads] = {};    // plain: the same of writes
  bool held = false;                         // OS mutex
  const char* dead = nullptr;                // "freed", "destroyed"
  void* use = nullptr;                       // what is known of its use in all executions
};

// Memory as threads see it, and what C++ says about it.
class memory {
 public:
  static memory& instance() noexcept;
  void begin();
  void end() noexcept;

  // Atomics. Each is a choice who goes on, then the operation.
  std::uint64_t load(void* cell, unsigned size, order o, std::source_location where);
  void store(void* cell, unsigned size, std::uint64_t v, order o, std::source_location where);
  // Reads the latest and makes it what `change(old, argument)` says.
  using change_function = std::uint64_t (*)(std::uint64_t old, std::uint64_t argument);
  std::uint64_t modify(void* cell, unsigned size, change_function change, std::uint64_t argument, order o,
                       std::source_location where);
  bool compare_exchange(void* cell, unsigned size, std::uint64_t& expected, std::uint64_t desired,
                        order success, order failure, bool weak, std::source_location where);
  void fence_seq_cst();
  void membarrier();
  // Stores those `bits` of `value`, if the word is `expected`, as a restartable sequence. False: it is not, or it was
  // interrupted.
  bool store_if(void* cell, std::uint64_t expected, std::uint64_t bits, std::uint64_t value,
                std::source_location where);
  void await_change();

  // Plain data: no choice, but C++ must order it.
  void read_plain(const void* cell, std::source_location where);
  void write_plain(const void* cell, std::source_location where);

  // Objects come and go.
  void born(const void* cell);
  void born_plain(const void* cell);  // its first value is a write like others
  // Objects that are initialised before any code runs are made late here: no race with that.
  bool set_static_initialisation(bool on) noexcept { return std::exchange(m_static_initialisation, on); }
  void destroyed(const void* cell);
  void die(const void* block, std::size_t size, const char* how);

  // System calls on an address.
  location& system_call(
      const void* address);  // drains the buffer; an event on the address, which may be gone
  std::uint32_t value_for_futex(const void* word);
  void lock_os_mutex(const void* m);
  bool try_lock_os_mutex(const void* m);
  void unlock_os_mutex(const void* m);
  bool os_mutex_held(const void* m) const noexcept;

  // Which addresses more than one thread uses, one of them to write: only before operations on these it matters who goes on. Learned
  // from all executions since `forget_shared`; if a later one teaches something new, the earlier ones have left choices out.
  void forget_shared();
  bool is_shared(const void* address) const noexcept;
  bool learned() noexcept { return std::exchange(m_learned, false); }
  const void* time() const noexcept { return &m_time; }

  // For the engine.
  void own_event(thread& t, std::uint64_t tag);
  void joined(thread& me, const thread& ended);
  void time_moved(thread& t);
  void time_read(thread& t);
  void point_that_drains(const void* touched);  // before an operation after which its buffer is empty
  void drain_all(thread& t);
  void drain_in_view(thread& t);
  bool drain_something();

 private:
  location& find(const void* address, void* cell, unsigned size);
  location* known(const void* address) const noexcept;
  location& atomic_at(void* cell, unsigned size, const char* what, std::source_location where);
  void event(thread& t, location& x, bool write, std::uint64_t tag);
  void acquire(thread& t, const store_event& s);
  void append(thread& t, location& x, std::uint64_t v, bool releases, const store_event* continues);
  void publish(location& x, std::uint64_t v, const vector_clock& released, bool releases);
  void drain(thread& t, std::size_t n);
  void settle(thread& t, location& x);
  void note_use(const thread& t, location& x, bool write);
  void drained_for(thread& t, order o);
  std::uint32_t& seen(thread& t, const location& x);
  std::uint32_t oldest_visible(thread& t, const location& x, order o);
  [[noreturn]] void race(const thread& t, const location& x, unsigned other, const char* what,
                         std::source_location where);
  bool weak() const noexcept { return engine::instance().options().memory == memory_model::weak; }

  std::vector<std::unique_ptr<location>> m_locations;  // kept from one execution to the next
  unsigned m_live = 0;
  struct slot {
    const void* address;
    std::uint64_t execution;
    location* what;
  };
  std::vector<slot> m_table = std::vector<slot>(std::size_t{1} << 14);
  struct range {
    const char* from;
    const char* to;
  };
  std::vector<range> m_freed;
  std::vector<std::uint32_t> m_fence_view;  // weak: what seq_cst fences have published
  vector_clock m_fence_clock;
  std::uint64_t m_membarriers = 0;
  location* m_time = nullptr;
  struct use {
    unsigned by = 0;  // a bit for each thread
    bool written = false;
    bool tried = false;  // an OS mutex, by try_lock
    bool shared() const noexcept { return written && (by & (by - 1)) != 0; }
  };
  std::unordered_map<const void*, use> m_uses;
  bool m_learned = false;
  bool m_static_initialisation = false;
};

}  // namespace explore
