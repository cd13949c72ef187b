#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <explore/clock.hpp>
#include <explore/search.hpp>

namespace explore {

using nanos = std::int64_t;
inline constexpr nanos never = INT64_MAX;

enum class memory_model : unsigned char { tso, weak };

struct execution_options {
  memory_model memory = memory_model::tso;
  nanos tick = 0;          // how far time may move, as a deviation, where the clock is read; 0: not
  bool spurious = true;    // weak compare-exchanges may fail, and futex waits end, without a reason
  bool membarrier = true;  // the kernel has it
  unsigned most_steps = 20'000;
};

// Why a thread does not run.
enum class waiting : unsigned char { not_at_all, change, futex, mutex, join, sleep, finished };

struct location;  // memory.hpp

inline constexpr std::uint64_t whole = ~std::uint64_t{0};

struct buffered_store {
  location* where;
  std::uint64_t value;
  std::uint64_t bits;  // those that it stores
  std::uint64_t hash;
  vector_clock released;
  bool releases;
};

// A virtual thread.
struct thread {
  unsigned id = 0;
  std::string name;
  boost::context::detail::fcontext_t at = nullptr;
  char* stack = nullptr;
  void (*body)(void*) = nullptr;
  void* argument = nullptr;
  void (*at_exit)(void*) = nullptr;
  void* at_exit_value = nullptr;
  bool daemon = false;
  struct {
    void* caught = nullptr;
    unsigned uncaught = 0;
  } exceptions;

  waiting waits = waiting::not_at_all;
  const void* waits_for = nullptr;  // futex, mutex, location
  std::uint64_t seen_version = 0;   // waiting::change: of the location
  nanos deadline = never;
  bool timed_out = false;

  std::uint64_t hash = 0;  // of all it did
  vector_clock clock;
  std::vector<std::uint32_t> view;  // weak: the oldest store of each location that it may still see
  location* last_read = nullptr;
  std::uint64_t last_read_version = 0;
  std::vector<buffered_store> buffer;  // tso
  bool drains = false;                 // its stores are being written back

  void begin(unsigned number, void (*what)(void*), void* with);
};

// Runs one execution of a scenario: threads, who goes on, time. What memory does is in memory.hpp.
class engine {
 public:
  static engine& instance() noexcept;

  enum class ending { finished, pruned, failed };
  enum class how : unsigned char { plainly, recording, traced };
  ending run(void (*scenario)(), const execution_options& options, search& s, how m);
  // The schedule of the last execution, if it was recorded, as one that is replayed needs it: with the choices that were left out
  // because nobody else touches what the operation touches.
  const std::vector<unsigned char>& recorded() const noexcept { return m_recorded; }

  static bool active() noexcept { return s_active; }
  const execution_options& options() const noexcept { return m_options; }
  std::uint64_t execution() const noexcept { return m_execution; }  // counts them; never 0 in one
  const std::string& failure() const noexcept { return m_failure; }
  std::uint64_t steps() const noexcept { return m_steps; }

  // For the running thread.
  thread& current() noexcept { return *m_current; }
  thread& at(unsigned id) noexcept { return *m_threads[id]; }
  unsigned threads() const noexcept { return m_live; }
  unsigned spawn(void (*body)(void*), void* argument);
  void point(const void* touched);  // a choice who goes on, before an operation on that address
  void yield();                     // the same, and going away is free
  bool block(waiting why, const void* on, nanos deadline = never);  // false: the deadline came
  void wake(const void* on, waiting why, int count);
  unsigned choose(const alternatives& a);  // of something else than threads
  bool deviates();                         // a choice of two
  nanos now();                             // may move
  nanos now_as_it_is() const noexcept { return m_now; }
  [[noreturn]] void fail(std::string what);
  void trace(const char* format, ...) __attribute__((format(printf, 2, 3)));
  bool tracing() const noexcept { return m_how == how::traced; }

  // The state, as a hash of the happens-before order; kept up to date by memory and here.
  void state_changed(std::uint64_t before, std::uint64_t after) noexcept { m_state += after - before; }

 private:
  friend void thread_main(boost::context::detail::transfer_t t);
  bool can_run(const thread& t) const noexcept;
  enum class manner : unsigned char { free_to_stay, polite, stays };
  void go_on(manner m);
  thread& pick(manner m);
  unsigned answer(unsigned chosen);
  void switch_to(thread& next);
  [[noreturn]] void leave(ending how);
  void end_of_thread();
  std::string who_waits() const;

  static inline bool s_active = false;
  how m_how = how::plainly;
  std::vector<unsigned char> m_recorded;
  std::uint64_t m_execution = 0;
  execution_options m_options;
  search* m_search = nullptr;
  std::vector<std::unique_ptr<thread>> m_threads;  // kept from one execution to the next, with their stacks
  unsigned m_live = 0;
  thread m_host;
  thread* m_current = nullptr;
  ending m_ending = ending::finished;
  std::string m_failure;
  std::uint64_t m_steps = 0;
  std::uint64_t m_state = 0;
  nanos m_now = 0;
};

// Marks the explorer's own code, whose allocations are not the scenario's.
class inside {
 public:
  inside() noexcept : m_before{s_inside} { s_inside = true; }
  ~inside() { s_inside = m_before; }
  inside(const inside&) = delete;
  inside& operator=(const inside&) = delete;
  static bool is() noexcept { return s_inside; }
  static void set(bool b) noexcept { s_inside = b; }

 private:
  static inline bool s_inside = false;
  bool m_before;
};

// For the arena: the thread whose arena an allocation comes from now, or -1; a block that is freed.
int thread_that_allocates() noexcept;
void freed(void* block, std::size_t size) noexcept;

}  // namespace explore
