// A thread appends to a log of its own, under a lock that it shares with who reads it only, so it is free but for that moment. Room is taken
// from what all have together in chunks, the first of them small: there may be many threads that wait once.
//
// Orderings  L1 `session` is stored (release) when what threads share has been set up <-> log's load (acquire). A thread that has seen an old one writes into
//               its log what is cleared, or finds that the log is of a later one.
#include <mortise/insight/trace_log.hpp>

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <new>
#include <unordered_set>

#include <mortise/base/atomic.hpp>
#include <mortise/base/fork.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/per_thread.hpp>
#include <mortise/base/process_global.hpp>

namespace mortise::inline MORTISE_ABI::insight::trace {
namespace {

constexpr std::size_t first_chunk = 64, largest_chunk = 8192, most_names = 65'536;

// Of one thread. Never freed: a call that has begun may come late.
struct thread_log {
  os_mutex guard;
  std::uint64_t session = 0;  // that it has events of
  int thread = 0;
  char name[16] = "";
  std::vector<std::vector<event>> chunks;
  std::uint64_t left_out = 0;

  void clear() noexcept {
    chunks = {};
    left_out = 0;
  }
};

struct ledger {
  os_mutex guard;
  std::vector<thread_log*>* logs = nullptr;  // made with the first one, never destroyed
  std::unordered_set<std::string>* names = nullptr;
  nanos began = 0, ended = 0;
  void in_child() noexcept;
};
constinit process_global<ledger> book;

constinit atomic<std::uint64_t> session{0};  // odd while events are recorded
constinit atomic<std::int64_t> room{0};      // events for which no chunk has been taken
constinit atomic<nanos> full_since{never};

MORTISE_PER_THREAD(thread_log*) mine{nullptr};

// The threads are the parent's, and so are their logs, in whatever state.
void ledger::in_child() noexcept {
  session.store((session.load(memory_order_relaxed) + 1) & ~std::uint64_t{1}, memory_order_relaxed);
  logs = nullptr;
  names = nullptr;
  mine = nullptr;
}

thread_log* make_mine() {
  hold_over_forks<book>();
  auto made = std::make_unique<thread_log>();
  made->thread = static_cast<int>(::gettid());
  ::pthread_getname_np(::pthread_self(), made->name, sizeof made->name);
  const std::lock_guard hold{book->guard};
  if (book->logs == nullptr) book->logs = new std::vector<thread_log*>;
  book->logs->push_back(made.get());
  return mine = made.release();
}

void full_from(nanos moment) noexcept {
  nanos since = full_since.load(memory_order_relaxed);
  while (moment < since &&
         !full_since.compare_exchange_weak(since, moment, memory_order_relaxed, memory_order_relaxed)) {}
}

// Under its guard. False: there is no room any more.
bool append(thread_log& l, const event& e) {
  if (full_since.load(memory_order_relaxed) <= e.at) return false;  // a hint: logged() cuts exactly
  if (l.chunks.empty() || l.chunks.back().size() == l.chunks.back().capacity()) {
    const auto wanted = static_cast<std::int64_t>(
        l.chunks.empty() ? first_chunk : std::min(2 * l.chunks.back().capacity(), largest_chunk));
    const std::int64_t before = room.fetch_sub(wanted, memory_order_relaxed);  // relaxed: only the sum counts
    if (before <= 0) {
      full_from(e.at);
      return false;
    }
    l.chunks.emplace_back().reserve(static_cast<std::size_t>(std::min(wanted, before)));
  }
  l.chunks.back().push_back(e);
  return true;
}

}  // namespace

void begin_log(std::size_t most_events) {
  hold_over_forks<book>();
  const std::lock_guard hold{book->guard};
  session.store((session.load(memory_order_relaxed) + 1) & ~std::uint64_t{1}, memory_order_relaxed);
  if (book->names == nullptr) book->names = new std::unordered_set<std::string>;
  if (book->logs != nullptr) {
    for (thread_log* l : *book->logs) {  // of threads that have ended too, which nobody else would clear
      const std::lock_guard in{l->guard};
      l->clear();
    }
  }
  room.store(static_cast<std::int64_t>(most_events), memory_order_relaxed);
  full_since.store(never, memory_order_relaxed);
  book->began = now_ns();
  book->ended = 0;
  session.store(session.load(memory_order_relaxed) + 1, memory_order_release);  // L1
}

void end_log() noexcept {
  const std::lock_guard hold{book->guard};
  const std::uint64_t now = session.load(memory_order_relaxed);
  if (now % 2 == 0) return;
  session.store(now + 1, memory_order_release);
  book->ended = now_ns();
}

bool logs() noexcept { return session.load(memory_order_relaxed) % 2 == 1; }

void log(event e) noexcept {
  const std::uint64_t now = session.load(memory_order_acquire);  // L1
  if (now % 2 == 0) return;
  e.at = now_ns();
  try {
    thread_log& l = mine != nullptr ? *mine : *make_mine();
    const std::lock_guard hold{l.guard};
    if (l.session > now) return;  // this call has come late
    if (l.session < now) l.clear();
    l.session = now;
    if (!append(l, e)) ++l.left_out;
  } catch (const std::bad_alloc&) {
    full_from(e.at);
  }
}

const std::string* keep(const char* text) noexcept {
  try {
    const std::lock_guard hold{book->guard};
    if (book->names == nullptr || book->names->size() >= most_names) return nullptr;
    return &*book->names->emplace(text).first;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

recorded logged() {
  hold_over_forks<book>();
  const std::lock_guard hold{book->guard};
  const std::uint64_t now = (session.load(memory_order_relaxed) - 1) | 1;  // the last that began
  recorded r;
  r.began = book->began;
  r.ended = book->ended != 0 ? book->ended : now_ns();
  if (book->logs == nullptr || r.began == 0) return r;
  for (thread_log* l : *book->logs) {
    const std::lock_guard in{l->guard};
    if (l->session != now) continue;
    r.left_out += l->left_out;
    thread_events& t = r.threads.emplace_back(thread_events{l->thread, l->name, {}});
    for (const auto& chunk : l->chunks) t.events.insert(t.events.end(), chunk.begin(), chunk.end());
  }
  // It ends at the same moment for all threads: one that has room in its chunk goes on for longer than one that has none. What has come
  // since the end was asked for is not part of it either.
  const nanos end = std::min(r.ended, full_since.load(memory_order_relaxed));
  for (thread_events& t : r.threads) {
    while (!t.events.empty() && t.events.back().at >= end) {
      if (end != r.ended) ++r.left_out;
      t.events.pop_back();
    }
  }
  r.ended = std::max(r.began, end);
  return r;
}

}  // namespace mortise::inline MORTISE_ABI::insight::trace
