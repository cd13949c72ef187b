#include <mortise/task/runtime_core.hpp>

#include <algorithm>
#include <bit>
#include <mutex>
#include <stdexcept>
#include <system_error>

#include <mortise/base/fatal.hpp>
#include <mortise/base/fork.hpp>
#include <mortise/task/processors.hpp>
#include <mortise/task/worker.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {

constexpr std::size_t default_stack = std::size_t{64} << 10;
constexpr std::size_t carrier_stack = std::size_t{1} << 20;
constexpr std::size_t most_stack = std::size_t{64} << 20;

// Sanitizers put red zones around every variable and call deep.
constexpr std::size_t stack_size_for(std::size_t wanted) noexcept {
  const std::size_t size = wanted == 0 ? default_stack : wanted;
  return sanitized ? std::min(8 * size, most_stack) : size;
}

runtime_options checked(runtime_options o) {
  if (o.workers > 1024) throw std::invalid_argument("runtime_options::workers is over 1024");
  if (o.stack_size > most_stack) throw std::invalid_argument("runtime_options::stack_size is over 64 MiB");
  if (o.stack_size != 0 && o.stack_size < 16384) {
    throw std::invalid_argument("runtime_options::stack_size is under 16 KiB");
  }
  if (o.stall_report < std::chrono::milliseconds{0} || o.stall_report > std::chrono::hours{1}) {
    throw std::invalid_argument("runtime_options::stall_report is not in 0 to an hour");
  }
  if (o.workers == 0) o.workers = usable_processors();
  return o;
}

}  // namespace

runtime_core::runtime_core(runtime_options options, runtime& owner)
    : m_owner{owner},
      m_options{checked(std::move(options))},
      m_generation{forks_come_through()},
      m_stacks{stack_size_for(m_options.stack_size)},
      m_carrier_stacks{carrier_stack} {
  m_detached = &take_scope(*this, true);
  for (unsigned i = 0; i < m_options.workers; ++i) m_workers.push_back(std::make_unique<worker>(*this, i));
  try {
    for (auto& w : m_workers) {
      m_threads.emplace_back([&w = *w] { w.thread_main(); });
      const std::string name = m_options.name.substr(0, 15);
      name_thread(m_threads.back(), name.c_str());
    }
  } catch (...) {
    m_stopping.store(true, memory_order_release);
    for (std::size_t i = 0; i < m_threads.size(); ++i) {
      m_workers[i]->wake();
      m_threads[i].join();
    }
    recycle(*m_detached);
    throw;
  }
  watch_for_stalls();
}

void runtime_core::watch_for_stalls() noexcept {
  const nanos limit = std::chrono::nanoseconds{m_options.stall_report}.count();
  if (limit == 0) return;
  try {
    m_watch = std::make_unique<stall_watch>(*this, limit);
  } catch (const std::exception&) {
    return;  // no thread for it: nobody looks
  }
}

runtime_core::~runtime_core() {
  if (m_generation != forks_come_through()) {
    // In a forked child: the threads and their stacks are the parent's.
    for (auto& t : m_threads) t.detach();
    for (auto& w : m_workers) w.release();
    if (m_watch != nullptr) m_watch.release()->leave_thread();
    return;
  }
  if (worker* const w = worker::current(); w != nullptr && &w->home() == this) {
    fatal("runtime '%s' is destroyed by one of its own tasks: it would wait for that task for ever",
          m_options.name.c_str());
  }
  join_detached();
  m_watch.reset();
  m_stopping.store(true, memory_order_release);
  for (auto& w : m_workers) w->wake();
  for (auto& t : m_threads) t.join();
  recycle(*m_detached);
}

void runtime_core::join_detached() noexcept {
  m_detached->joiner.store(&wait::this_context().self(), memory_order_seq_cst);  // S2
  // Either may start the other, so both are looked at until neither is there. Scopes are closed by their owners, shortly or
  // never: in the latter case the program hangs here, as with std::jthread.
  for (;;) {
    while (!m_detached->empty()) wait::this_context().park(never);
    const bool over = m_scopes.load(memory_order_acquire) == 0 && m_detached->empty();
    if (over && m_senders.load(memory_order_acquire) == 0) return;
    wait::this_context().park(now_ns() + 1'000'000);
  }
}

void runtime_core::inherited() const noexcept {
  fatal(
      "runtime '%s' was started before fork and is used in the child, where its threads do not exist: start a runtime "
      "of its own in the child",
      m_options.name.c_str());
}

void runtime_core::submit(task_block& t) noexcept {
  if (worker* const w = worker::current(); w != nullptr && &w->home() == this) {
    w->enqueue_from_task(t);
  } else {
    // The task may run and end, and its runtime with it, while we still look for whom to wake. relaxed: whoever sees that the task
    // has ended sees this count, which the inbox's lock orders
    m_senders.fetch_add(1, memory_order_relaxed);
    send(t);
    m_senders.fetch_sub(1, memory_order_release);
  }
}

void runtime_core::put_into_inbox(task_block& t) noexcept {
  const std::lock_guard hold{m_inbox_guard};
  t.next = nullptr;
  (m_inbox_last == nullptr ? m_inbox_first : m_inbox_last->next) = &t;
  m_inbox_last = &t;
  m_inbox_size.fetch_add(1, memory_order_seq_cst);  // R1
}

void runtime_core::send(task_block& t) noexcept {
  put_into_inbox(t);
  if (idle() != 0) wake_one();  // R1
}

// R1 is kept without a look at the idle count: the first worker is woken if it is idle, and the caller, which
// is a worker itself, finds the inbox filled when it goes idle.
void runtime_core::wake_first() noexcept {
  if (no_longer_idle(0)) m_workers[0]->wake();
}

unsigned runtime_core::take_from_inbox(worker& w, unsigned limit) noexcept {
  const std::lock_guard hold{m_inbox_guard};
  unsigned taken = 0;
  while (m_inbox_first != nullptr && taken < limit) {
    task_block* const t = m_inbox_first;
    task_block* const rest =
        t->next;  // read before the push: a thief may run, end and recycle the task at once
    if (!w.queue().push(*t)) break;
    m_inbox_first = rest;
    ++taken;
  }
  if (m_inbox_first == nullptr) m_inbox_last = nullptr;
  m_inbox_size.fetch_sub(taken, memory_order_seq_cst);  // R1
  return taken;
}

void runtime_core::became_idle(unsigned index) noexcept {
  m_idle[index / 64].fetch_or(std::uint64_t{1} << (index % 64), memory_order_seq_cst);  // R1
  m_idle_count.fetch_add(1, memory_order_seq_cst);                                      // R1
}

bool runtime_core::no_longer_idle(unsigned index) noexcept {
  const std::uint64_t bit = std::uint64_t{1} << (index % 64);
  if ((m_idle[index / 64].fetch_and(~bit, memory_order_seq_cst) & bit) == 0) return false;
  m_idle_count.fetch_sub(1, memory_order_seq_cst);
  return true;
}

void runtime_core::wake_one() noexcept {
  for (std::size_t i = 0; i * 64 < m_workers.size(); ++i) {
    while (const std::uint64_t set = m_idle[i].load(memory_order_seq_cst)) {
      const auto index = static_cast<unsigned>(i * 64) + static_cast<unsigned>(std::countr_zero(set));
      if (no_longer_idle(index)) return m_workers[index]->wake();
    }
  }
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
