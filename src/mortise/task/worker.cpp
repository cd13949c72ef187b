// A worker's loop: what to run next, and how to wait when there is nothing. How tasks enter and leave a
// worker is in worker_tasks.cpp and worker_coroutines.cpp.
//
// Wake ledger. A task that comes through the inbox is paid for by its sender (runtime_core). A task that a
// worker puts into its own queue is run by that worker, so nobody is owed a wake for it; but the worker may
// be slow to come back to its loop. So idle peers are nudged while there is a standing backlog, and now and
// then even if there is none; and a worker that goes idle while others make progress looks again by itself,
// at growing intervals (patrol). A wake for each short burst would cost more than the burst. Where two
// workers have little to do, the second's tasks gather on the first (gather).
//
// Orderings  W1 wake's RMW on m_wake (release) <-> idle's RMW that resets it (acquire): a wake that is taken back because the
//               worker was awake already was for something that is then seen: m_stopping (what is in the inbox R1 shows
//               anyway). A plain store would read nothing, and then neither x86 before its next RMW nor C++ at all keeps the
//               next look behind it: the worker would sleep for ever and the runtime's destructor with it.
#include <mortise/task/worker.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include <mortise/base/chaos.hpp>
#include <mortise/base/futex.hpp>
#include <mortise/base/per_thread.hpp>
#include <mortise/base/probe.hpp>
#include <mortise/task/runtime_core.hpp>
#include <mortise/task/signal_stack.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {

constexpr nanos longest_without_poll = 200'000;
// How many sleepers are taken over at a time: few enough that what was touched is still in the first-level
// cache when they run.
constexpr unsigned poll_limit = 128;
// How many join tasks that are still queued: these may be many that wait for one lock, whose queue must get shorter some day.
constexpr unsigned busy_poll_limit = 16;
constexpr nanos load_window = 10'000'000;
constexpr nanos shortest_watch = 50'000;
constexpr double bearable_wait = 150'000;
constexpr nanos bearable_lateness = 1'000'000;
constexpr nanos standing_backlog = 100'000;
constexpr nanos nudge_interval = 1'000'000;
constexpr nanos rare_nudge = 16'000'000;
constexpr nanos first_patrol = 250'000;
constexpr nanos longest_patrol = 16'000'000;

// How far ahead the queue is walked: with a hundred thousand tasks memory latency is the whole cost.
constexpr std::uint32_t prefetch_block = 8;
constexpr std::uint32_t prefetch_stack = 4;
constexpr int lines_above = 4;
constexpr int lines_below = 2;  // where the one that goes to it is let go

MORTISE_PER_THREAD(worker*) this_worker{nullptr};

}  // namespace

worker::worker(runtime_core& home, unsigned index)
    : m_home{home}, m_index{index}, m_loop_carrier{take_carrier()}, m_alarm{home.options().precise_sleep} {
  if (m_loop_carrier == nullptr) {
    throw std::system_error(ENOMEM, std::generic_category(), "mortise: no memory for a worker's stack");
  }
}

worker::~worker() {
  if (m_loop_carrier != nullptr) give_back(m_loop_carrier);
}

worker* worker::current() noexcept {
  // Keeps the compiler from merging calls: the answer changes when the caller was suspended in between.
  asm volatile("" ::: "memory");
  return this_worker;
}

const char* worker::runtime_name() const noexcept { return m_home.options().name.c_str(); }

void worker::thread_main() {
  const signal_stack for_reports;
  this_worker = this;
  wait::exchange_context(this);
  m_exceptions = exceptions_of_this_thread();
  m_thread.store(static_cast<int>(::gettid()), memory_order_relaxed);
  alarm::sharpen_this_thread();
  switch_stack(m_native, m_loop_carrier->rest, this);
  wait::exchange_context(nullptr);
  this_worker = nullptr;
}

void worker::carrier_main(void* self) {
  auto& w = *static_cast<worker*>(self);
  // A carrier that takes over in the middle of a step first lets that step's task go.
  w.let_go();
  w.runs(nullptr);
  w.loop();
}

void worker::loop() noexcept {
  carrier* const mine = m_loop_carrier;
  for (;;) {
    task_block* t = std::exchange(m_handed, nullptr);
    if (t == nullptr && ++m_turn % turns_between_polls != 0) t = m_queue.pop();
    if (t == nullptr) t = find();
#if MORTISE_IS_CHAOS
    if (t != nullptr && send_on(*t)) continue;
    if (t == nullptr || m_turn % 2 == 0) {
      if (task_block* const other = from_trays(); other != nullptr) {
        if (t != nullptr) enqueue(*t);
        t = other;
      }
    }
#endif
    if (t != nullptr) {
      prefetch();
      run(*t);
      continue;
    }
    if (m_home.stopping()) break;
    idle();
  }
  switch_for_good(mine->rest, m_native, nullptr);
}

task_block* worker::find() noexcept {
  // What is due joins the tail of the queue, so a look is early enough when the queue runs dry; and now and
  // then, since tasks that keep each other busy may never let it.
  task_block* t = m_queue.pop();
  if (t != nullptr && m_clock.not_before_now() - m_now < longest_without_poll) return t;
  const nanos now = m_clock.read();
  if (t == nullptr) m_backlog_since = now;
  poll(now, t == nullptr ? poll_limit : busy_poll_limit);
  if (t == nullptr) t = m_queue.pop();
  if (t == nullptr && steal()) t = m_queue.pop();
  if (t != nullptr && m_home.idle() != 0 && (m_queue.size() != 0 || m_timers.next_due() != never)) {
    nudge(now, now - m_backlog_since > standing_backlog ? nudge_interval : rare_nudge);
  }
  return t;
}

void worker::poll(nanos now, unsigned limit) noexcept {
  m_now = now;
  const bool gathering = gather();
  unsigned given = 0;
  // First what comes from outside, up to a fair share, so that a burst spreads over the workers: sleepers
  // that are overdue would fill the queue for ever and new tasks never start. What was just given away is the
  // first worker's for a while.
  if (m_home.inbox_filled() && now - m_gave_at > first_patrol) {
    m_home.take_from_inbox(*this, std::min(m_queue.room(), run_queue::capacity / 4));
  }
  m_timers.advance(now, std::min(limit, m_queue.room()),
                   [&](task_block& t, std::uint16_t round, nanos) noexcept {
                     if (!fired(t, round)) return;
                     if (gathering) {
                       m_home.put_into_inbox(t);
                       ++given;
                     } else {
                       enqueue(t);
                     }
                   });
  if (given != 0) {
    m_gave_at = now;
    m_home.wake_first();
    MORTISE_PROBE(migration, m_index, 0U, given);
  }
}

// A timer has fired. True: the task slept, is due now and has to be put into a queue by the caller.
bool worker::fired(task_block& t, std::uint16_t round) noexcept {
  if (round == timers::sleeper) {
    t.m_state.store(task_block::due, memory_order_relaxed);  // O3
    return true;
  }
  // The limit of a wait. It must not end a sleep, even one until the very same moment: the task may have gone to sleep on another
  // worker, and be asleep for the second time by now. relaxed: a stale match is a spurious wake.
  if (t.timer_round.load(memory_order_relaxed) == round) t.unpark();
  return false;
}

// Whether this worker's due sleepers are given to the first worker: when both have so little to do that one
// wake for all of them is cheaper than one each. They sleep there from then on, and come back only when there
// is a backlog to steal.
bool worker::gather() noexcept {
  const nanos window = m_now - m_window_start;
  if (window >= load_window) {
    m_load.store(static_cast<unsigned>(100 - std::clamp<nanos>(100 * m_idle_time / window, 0, 100)),
                 memory_order_relaxed);
    m_window_start = m_now;
    m_idle_time = 0;
  }
  constexpr unsigned little = 20;  // per cent; a hint, so relaxed
  return m_index != 0 && m_load.load(memory_order_relaxed) < little &&
         m_home.worker_at(0).m_load.load(memory_order_relaxed) < 2 * little;
}

// Wakes an idle peer to share the backlog, unless one was woken less than `interval` ago.
void worker::nudge(nanos now, nanos interval) noexcept {
  if (now - m_last_nudge < interval) return;
  m_last_nudge = now;
  m_home.wake_one();
}

// Helps a peer that does not get through its work by itself. It is watched from one look to the next. Half of its queue is
// taken if what lies there waits longer than `bearable_wait` at the rate it is worked off: tiny tasks that share data run
// best where they are. A peer that made no progress at all is stuck in one task, so its overdue sleepers are woken as well.
bool worker::steal() noexcept {
#if MORTISE_IS_CHAOS
  if (chaos_strikes(chaos::steal) && raid()) return true;
#endif
  const unsigned n = m_home.workers();
  for (unsigned i = 1; i < n; ++i) {
    worker& peer = m_home.worker_at((m_index + i) % n);
    const std::uint32_t waiting = peer.m_queue.size();
    const bool overdue = m_now - peer.m_timers.next_due() > bearable_lateness;
    if (waiting == 0 && !overdue) {
      if (m_victim == peer.m_index) m_watched_since = 0;
      continue;
    }
    const std::uint64_t done = peer.m_switches.load(memory_order_relaxed);  // a hint
    if (m_victim != peer.m_index || m_watched_since == 0) {
      m_victim = peer.m_index;
      m_victim_switches = done;
      m_watched_since = m_now;
      m_patrol = 0;  // looks again soon
      return false;
    }
    const nanos watched = m_now - m_watched_since;
    if (watched < shortest_watch) return false;
    const std::uint64_t progress = done - std::exchange(m_victim_switches, done);
    m_watched_since = m_now;
    const auto wait =
        static_cast<double>(watched) * waiting / static_cast<double>(std::max<std::uint64_t>(progress, 1));
    const std::uint32_t taken = wait > bearable_wait ? peer.m_queue.steal_into(m_queue) : 0;
    bool helped = taken != 0;
    if (helped) MORTISE_PROBE(migration, peer.m_index, m_index, taken);
    if (overdue && progress == 0) {
      helped |= peer.m_timers.advance_as_peer(m_now, m_queue.room(),
                                              [this](task_block& t, std::uint16_t round, nanos) noexcept {
                                                if (fired(t, round)) enqueue(t);
                                              }) != 0;
    }
    if (helped) {
      m_patrol = 0;
      return true;
    }
  }
  return false;
}

void worker::idle() noexcept {
  m_home.became_idle(m_index);
  // R1: after announcing ourselves, look once more. Peers' queues are looked at on patrol.
  const nanos before = now_ns();
  const bool just_gave =
      before - m_gave_at <= first_patrol;  // what is in the inbox is the first worker's for a while
  if ((!m_home.inbox_filled() || just_gave) && !m_home.stopping()) {
    const nanos deadline = m_timers.next();
    nanos look_again = std::min(next_patrol(before), just_gave ? before + 2 * first_patrol : never);
#if MORTISE_IS_CHAOS
    if (m_tray.filled()) look_again = before;
    if (trays_filled()) look_again = std::min(look_again, before + tray::bound / 2);
#endif
    if (look_again < deadline) {
      futex_wait(m_wake, 0, look_again);
    } else {
      m_alarm.wait(m_wake, deadline);
    }
    m_idle_time += now_ns() - before;
  }
  m_home.no_longer_idle(m_index);
  m_wake.exchange(0, memory_order_acquire);  // W1
}

// When to look at the peers by ourselves: at growing intervals, and no more once they have been seen idle, without having run
// anything, for longer than `rare_nudge`. A nudge that was left out because another was less than that ago is thus made up
// for. It is the time that counts, not the looks: our own sleepers may wake us for many in a moment.
nanos worker::next_patrol(nanos now) noexcept {
  std::uint64_t progress = 0;
  for (unsigned i = 0; i < m_home.workers(); ++i) {
    if (i != m_index) progress += m_home.worker_at(i).m_switches.load(memory_order_relaxed);  // a hint
  }
  const bool quiet =
      std::exchange(m_peers_progress, progress) == progress && m_home.idle() == m_home.workers();
  if (!quiet) m_peers_stirred = now;
  if (now - m_peers_stirred > rare_nudge) {
    m_patrol = 0;
    return never;
  }
  m_patrol = std::clamp(2 * m_patrol, first_patrol, longest_patrol);
  return now + m_patrol;
}

void worker::wake() noexcept {
  m_wake.exchange(1, memory_order_release);  // W1; an RMW, so that it does not hide an earlier wake's release
  futex_wake(m_wake, 1);
}

void worker::enqueue(task_block& t) noexcept {
  if (!m_queue.push(t)) m_home.send(t);
}

void worker::enqueue_from_task(task_block& t) noexcept {
  enqueue(t);
  // The running task may be long in coming back to the loop.
  if (m_home.idle() != 0) nudge(m_clock.not_before_now(), nudge_interval);
}

// A thief may have taken the tasks that are looked at here, and be ending them: what is read is fetched and else not used, so
// whether it is old does not matter, and ThreadSanitizer is told so.
__attribute__((no_sanitize("thread"))) void worker::prefetch() const noexcept {
  if (const task_block* ahead = m_queue.peek(prefetch_block); ahead != nullptr) __builtin_prefetch(ahead, 1);
  if (const task_block* soon = m_queue.peek(prefetch_stack); soon != nullptr) {
    // A number: of a task that a thief has ended there is no stack any more to have pointers into.
    const auto at = reinterpret_cast<std::uintptr_t>(soon->rest.where());
    for (int i = -lines_below; i < lines_above; ++i)
      __builtin_prefetch(reinterpret_cast<const void*>(at + i * static_cast<int>(cache_line)), 1);
    __builtin_prefetch(soon->body);  // what it captured
  }
}

carrier* worker::take_carrier() noexcept {
  try {
    auto c = std::make_unique<carrier>();
    c->memory = m_home.carrier_stacks().take();
    c->rest =
        make_stack<&worker::carrier_main>(c->memory.base, c->memory.base + m_home.carrier_stacks().size());
    name_stack(c->rest, "worker", m_index);
    return c.release();
  } catch (const std::exception&) {
    return nullptr;
  }
}

void worker::give_back(carrier* c) noexcept {
  drop_stack(c->rest);
  m_home.carrier_stacks().give_back(c->memory, 0);
  delete c;
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
