// One graph for the process, under one lock: it is asked only where a lock is held already. Nothing else is locked meanwhile.
#include <mortise/lock/lock_order.hpp>

#include <mortise/base/abi.hpp>

#if MORTISE_IS_CHECKED

#include <unistd.h>

#include <cstdio>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <unordered_set>

#include <mortise/base/fork.hpp>
#include <mortise/lock/holds.hpp>
#include <mortise/lock/lock_graph.hpp>
#include <mortise/lock/order_check.hpp>

namespace mortise::inline MORTISE_ABI {
namespace {

using lock_detail::hold;
using lock_detail::lock_graph;
using lock_detail::step;
using report_function = void (*)(const char*);

struct orders {
  std::mutex guard;
  lock_graph graph;
  report_function report = nullptr;
  std::unordered_set<std::size_t> told;  // from which places
};
orders* every_order = nullptr;

// Never destroyed: locks are used until the very end of the process.
orders& make_orders() {
  every_order = new orders;
  static_cast<void>(
      stack_trace::capture());  // loads the unwinder, which is more than a fiber's stack may bear
  constexpr auto give_back = [] { every_order->guard.unlock(); };
  at_fork([] { every_order->guard.lock(); }, give_back, give_back);
  return *every_order;
}

orders& all() {
  static orders& made = make_orders();
  return made;
}

// As the program is loaded, when there is no thread yet to fork amid the first use of `made`.
[[maybe_unused]] const auto& made_at_load = all();

std::size_t places(const std::vector<step>& cycle) noexcept {
  std::size_t sum = 0;  // of all stacks, so that it is the same wherever the cycle was closed
  for (const step& s : cycle) {
    std::size_t h = s.declared;
    for (void* frame : s.where.frames) h = (h ^ reinterpret_cast<std::size_t>(frame)) * 0x9e3779b97f4a7c15u;
    sum += h ^ h >> 29;
  }
  return sum;
}

void write(const char* text) noexcept {
  // One write, so that reports do not interleave; nothing can be done about a failure.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, std::char_traits<char>::length(text));
}

std::string worded(const std::vector<step>& cycle) {
  std::string text;
  char line[256];
  const step& last = cycle.front();
  std::snprintf(
      line, sizeof line,
      last.declared
          ? "mortise: lock order: %s %lu declares the lock at %p to be taken before the one at %p"
          : "mortise: lock order: %s %lu holds the lock at %p and is about to wait for the one at %p",
      to_string(last.kind), last.who, last.before, last.after);
  text.append(line).append(
      ", but the other order occurs too: parties that are at it at once wait for each other for ever\n");
  for (const step& s : cycle) {
    std::snprintf(line, sizeof line, "  %p before %p, %s %s %lu, here:\n", s.before, s.after,
                  s.declared ? "as declared by" : "taken by", to_string(s.kind), s.who);
    text += line;
    s.where.print(text, "    ");
  }
  return text += "  take them in one order, or say lock_order::waive where they cannot meet\n";
}

// Names are looked up on a thread where the caller's stack may be small. Without one, on what there is.
std::string worded_by(wait::party kind, const std::vector<step>& cycle) {
  if (kind != wait::party::fiber) return worded(cycle);
  std::string text;
  try {
    std::thread([&] { text = worded(cycle); }).join();
  } catch (const std::system_error&) {
    text = worded(cycle);
  }
  return text;
}

// Enters what may be news, and reports the cycles that it closes.
void enter(std::vector<step>& news, const stack_trace& where) noexcept {
  std::vector<std::vector<step>> cycles;
  report_function report = nullptr;
  {
    orders& o = all();
    const std::lock_guard guard{o.guard};
    for (step& s : news) {
      s.where = where;
      std::vector<step> cycle = o.graph.add(s);
      if (!cycle.empty() && o.told.insert(places(cycle)).second) cycles.push_back(std::move(cycle));
    }
    report = o.report;
  }
  for (const std::vector<step>& cycle : cycles) {
    const std::string text = worded_by(cycle.front().kind, cycle);
    (report != nullptr ? report : &write)(text.c_str());
  }
}

// What a stack begins with, and does not concern the reader: wait_begins, about_to_wait, and the noted_wait of a lock.
constexpr int library_frames = 3;

[[gnu::noinline]] void wait_begins(wait::context& here, const void* lock) noexcept {
  const wait::parker& me = here.self();
  const std::vector<hold> held = lock_detail::held_by(me);
  if (held.empty()) return;
  step s;
  s.after = lock;
  for (const hold& h : held) {
    if (h.lock == lock) return;  // for itself, which is named elsewhere
    if (h.alone) s.alone.push_back(h.lock);
  }
  s.kind = here.kind();
  s.who = me.id();
  std::vector<step> news;
  {
    orders& o = all();
    const std::lock_guard guard{o.guard};
    for (const hold& h : held) {
      s.before = h.lock;
      s.in_hold = h.may_be_given_away ? h.number : 0;
      if (o.graph.is_news(s)) news.push_back(s);
    }
  }
  if (!news.empty()) enter(news, stack_trace::capture(library_frames));
}

}  // namespace

void lock_detail::about_to_wait(const void* lock) noexcept { wait_begins(wait::this_context(), lock); }

void lock_detail::about_to_await(const void* lock) noexcept {
  wait::context& here = wait::this_context();
  if (here.kind() == wait::party::coroutine) wait_begins(here, lock);
}

const wait::parker* lock_detail::taken(const void* lock, way how, bool alone) noexcept {
  wait::context& here = wait::this_context();
  if (how == way::async && here.kind() != wait::party::coroutine) return nullptr;
  wait::parker& me = here.self();
  took(me, lock, alone, how == way::async || !alone);
  return &me;
}

void lock_detail::released(const void* lock, const wait::parker* taker) noexcept {
  if (taker == nullptr) return;
  const auto h = gave_back(*taker, lock);
  if (!h || &wait::this_context().self() == taker) return;
  orders& o = all();
  const std::lock_guard guard{o.guard};
  o.graph.forget_steps(lock, h->number);
}

void lock_detail::destroyed(const void* lock) noexcept {
  orders& o = all();
  const std::lock_guard guard{o.guard};
  o.graph.forget(lock);
}

void lock_order::declared(const void* before, const void* after) noexcept {
  wait::context& here = wait::this_context();
  std::vector<step> seen(1);
  seen[0].before = before;
  seen[0].after = after;
  seen[0].kind = here.kind();
  seen[0].who = here.self().id();
  seen[0].declared = true;
  enter(seen, stack_trace::capture(1));
}

void lock_order::waived(const void* lock) noexcept {
  orders& o = all();
  const std::lock_guard guard{o.guard};
  o.graph.waive(lock);
}

void lock_order::reported_by(void (*report)(const char* text)) noexcept {
  orders& o = all();
  const std::lock_guard guard{o.guard};
  o.report = report;
  o.told.clear();
}

}  // namespace mortise::inline MORTISE_ABI

#endif
