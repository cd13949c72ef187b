#include <explore/engine.hpp>

#include <cxxabi.h>
#include <sys/mman.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

#include <explore/arena.hpp>
#include <explore/memory.hpp>
#include <explore/settings.hpp>

namespace explore {
namespace bc = boost::context::detail;
namespace {

constexpr std::size_t stack_size = std::size_t{512} << 10;
constexpr nanos start_of_time = 1'000'000'000;
constexpr std::uint64_t nobody = 255;

char* make_stack() {
  void* const p = ::mmap(nullptr, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) std::abort();
  return static_cast<char*>(p);
}

// What the C++ runtime keeps for each OS thread, see task/switch.hpp.
void* exceptions_here() noexcept { return abi::__cxa_get_globals(); }

}  // namespace

void thread_main(bc::transfer_t t) {
  static_cast<thread*>(t.data)->at = t.fctx;
  engine& e = engine::instance();
  inside::set(false);
  thread& me = e.current();
  try {
    me.body(me.argument);
  } catch (const std::exception& x) {
    inside::set(true);
    e.fail(std::string("an exception left thread '") + me.name + "': " + x.what());
  } catch (...) {
    inside::set(true);
    e.fail("an exception left thread '" + me.name + "'");
  }
  while (me.at_exit_value != nullptr) me.at_exit(std::exchange(me.at_exit_value, nullptr));
  inside::set(true);
  e.end_of_thread();
}

engine& engine::instance() noexcept {
  static engine* const the = new engine;
  return *the;
}

int thread_that_allocates() noexcept {
  return inside::is() || !engine::active() ? -1 : static_cast<int>(engine::instance().current().id);
}

void freed(void* block, std::size_t size) noexcept {
  const inside here;
  if (engine::instance().active()) memory::instance().die(block, size, "freed");
  std::memset(block, 0xdd, size <= 65536 ? size : 65536);
}

void thread::begin(unsigned number, void (*what)(void*), void* with) {
  id = number;
  name = "thread " + std::to_string(number);
  at = bc::make_fcontext(stack + stack_size, stack_size, &thread_main);
  body = what;
  argument = with;
  at_exit = nullptr;
  at_exit_value = nullptr;
  daemon = false;
  exceptions = {};
  waits = waiting::not_at_all;
  waits_for = nullptr;
  deadline = never;
  timed_out = false;
  hash = mixed(number, 17);
  clock = {};
  view.clear();
  last_read = nullptr;
  buffer.clear();
  drains = false;
}

engine::ending engine::run(void (*scenario)(), const execution_options& options, search& s, how m) {
  const inside here;
  m_options = options;
  m_search = &s;
  m_how = m;
  m_recorded.clear();
  m_failure.clear();
  m_steps = 0;
  m_state = 0;
  m_now = start_of_time;
  m_live = 0;
  ++m_execution;
  memory::instance().begin();
  s.begin();
  m_current = &m_host;
  s_active = true;
  spawn([](void* f) { reinterpret_cast<void (*)()>(f)(); }, reinterpret_cast<void*>(scenario));
  at(0).name = "main";
  switch_to(at(0));
  s_active = false;
  memory::instance().end();
  arena::forget_all();
  return m_ending;
}

unsigned engine::spawn(void (*body)(void*), void* argument) {
  if (m_live == most_threads) fail("more than 8 threads");
  if (m_current != &m_host)
    memory::instance().drain_in_view(*m_current);  // the new one sees all that this one did
  if (m_live == m_threads.size()) {
    m_threads.push_back(std::make_unique<thread>());
    m_threads.back()->stack = make_stack();
  }
  thread& t = *m_threads[m_live];
  t.begin(m_live, body, argument);
  state_changed(0, mixed(t.id, t.hash));
  if (m_current != &m_host) {
    ++m_current->clock[m_current->id];
    t.clock = m_current->clock;
    t.view = m_current->view;
    memory::instance().own_event(*m_current, t.id);
  }
  ++m_live;
  return t.id;
}

void engine::switch_to(thread& next) {
  thread& from = *m_current;
  m_current = &next;
  std::memcpy(&from.exceptions, exceptions_here(), sizeof from.exceptions);
  std::memcpy(exceptions_here(), &next.exceptions, sizeof next.exceptions);
  const bc::transfer_t t = bc::jump_fcontext(next.at, &from);
  static_cast<thread*>(t.data)->at = t.fctx;
}

void engine::leave(ending how) {
  m_ending = how;
  switch_to(m_host);
  std::abort();  // nobody comes back to an abandoned execution
}

void engine::fail(std::string what) {
  m_failure = std::move(what);
  trace("FAILED: %s", m_failure.c_str());
  leave(ending::failed);
}

bool engine::can_run(const thread& t) const noexcept {
  switch (t.waits) {
    case waiting::not_at_all: return true;
    case waiting::change: return static_cast<const location*>(t.waits_for)->version != t.seen_version;
    case waiting::mutex: return !memory::instance().os_mutex_held(t.waits_for);
    case waiting::join: return static_cast<const thread*>(t.waits_for)->waits == waiting::finished;
    case waiting::futex:
    case waiting::sleep: return t.deadline <= m_now;
    case waiting::finished: return false;
  }
  return false;
}

// Kept for a replay, in which every choice is asked.
unsigned engine::answer(unsigned chosen) {
  if (m_how == how::recording) m_recorded.push_back(static_cast<unsigned char>(chosen));
  return chosen;
}

thread& engine::pick(manner m) {
  const bool polite = m == manner::polite;
  for (;;) {
    alternatives a;
    unsigned ids[alternatives::most];
    const bool mine = m_current->waits != waiting::finished && can_run(*m_current);
    const auto add = [&](unsigned id, cost c) {
      ids[a.count] = id;
      a.add(c);
    };
    if (mine && !polite) add(m_current->id, cost::free);
    const cost to_leave = mine && !polite ? cost::preemption : cost::free;
    nanos earliest = never;
    bool only_daemons = true;
    for (unsigned i = 0; i < m_live; ++i) {
      const thread& t = *m_threads[i];
      if (!t.daemon && t.waits != waiting::finished) only_daemons = false;
      if (&t == m_current && mine) continue;
      if (can_run(t)) {
        add(i, to_leave);
      } else if (t.waits == waiting::futex || t.waits == waiting::sleep) {
        earliest = std::min(earliest, t.deadline);
      }
    }
    if (only_daemons) leave(ending::finished);
    if (mine && polite) add(m_current->id, cost::free);
    if (a.count == 0 && memory::instance().drain_something()) continue;
    if (earliest != never) {
      // Time moves: by itself if nobody can run, else because the one who runs is slow.
      const cost early = a.count == 0 ? cost::free : cost::deviation;
      for (unsigned i = 0; i < m_live; ++i) {
        const thread& t = *m_threads[i];
        if ((t.waits == waiting::futex || t.waits == waiting::sleep) && t.deadline == earliest &&
            !(&t == m_current && mine))
          add(i, early);
      }
    }
    if (a.count == 0) fail("nobody can go on: " + who_waits());
    if (m == manner::stays) {
      if (a.count > 1) answer(0);
      return *m_current;
    }
    const std::uint64_t who = mine && !polite ? m_current->id : nobody;
    if (a.count > 1 && settings().reduction && m_search->at_frontier() &&
        m_search->seen(mixed(m_state, who, static_cast<std::uint64_t>(m_now))))
      leave(ending::pruned);
    const unsigned chosen = a.count == 1 ? 0 : answer(m_search->choose_thread(a, ids));
    thread& next = *m_threads[ids[chosen]];
    if (!can_run(next)) {  // its deadline
      m_now = std::max(m_now, next.deadline);
      memory::instance().time_moved(next);
      trace("time moves to %+.3f ms", static_cast<double>(m_now - start_of_time) / 1e6);
    }
    return next;
  }
}

void engine::go_on(manner m) {
  if (++m_steps > m_options.most_steps)
    fail("no end after " + std::to_string(m_steps) + " steps: " + who_waits());
  thread& next = pick(m);
  if (&next != m_current) switch_to(next);
}

void engine::point(const void* touched) {
  if (m_how == how::traced || !settings().reduction || memory::instance().is_shared(touched))
    return go_on(manner::free_to_stay);
  if (m_how == how::recording) return go_on(manner::stays);
  if (++m_steps > m_options.most_steps) go_on(manner::free_to_stay);
}

void engine::yield() {
  m_search->yielded(m_current->id);
  memory::instance().own_event(*m_current, 0x91e1d);  // before it and after it are two states
  go_on(manner::polite);
}

bool engine::block(waiting why, const void* on, nanos deadline) {
  thread& me = *m_current;
  me.waits = why;
  me.waits_for = on;
  me.deadline = deadline;
  me.timed_out = false;
  go_on(manner::free_to_stay);
  if (me.waits == waiting::futex || me.waits == waiting::sleep) {
    me.timed_out = true;
    memory::instance().time_read(me);
  }
  me.waits = waiting::not_at_all;
  me.deadline = never;
  return !me.timed_out;
}

void engine::wake(const void* on, waiting why, int count) {
  for (; count > 0; --count) {
    thread* sleeping[most_threads];
    alternatives a;
    for (unsigned i = 0; i < m_live; ++i) {
      thread& t = *m_threads[i];
      if (t.waits != why || t.waits_for != on) continue;
      sleeping[a.count] = &t;
      a.add(cost::free);
    }
    if (a.count == 0) return;
    // Nobody promises an order among them.
    const bool some = a.count > static_cast<unsigned>(count);
    thread& woken = *sleeping[some ? choose(a) : 0];
    woken.waits = waiting::not_at_all;
    if (some) memory::instance().own_event(woken, 0x3a4e);
  }
}

unsigned engine::choose(const alternatives& a) { return a.count <= 1 ? 0 : answer(m_search->choose(a)); }

bool engine::deviates() {
  if (!m_search->left.allows(cost::deviation)) return false;
  alternatives a;
  a.add(cost::free);
  a.add(cost::deviation);
  if (answer(m_search->choose(a)) == 0) return false;
  memory::instance().own_event(*m_current, 0xdeu);
  return true;
}

nanos engine::now() {
  const inside here;
  point(memory::instance().time());
  if (m_options.tick != 0 && deviates()) {
    m_now += m_options.tick;
    memory::instance().time_moved(*m_current);
    trace("time has moved by %.3f ms", static_cast<double>(m_options.tick) / 1e6);
  } else {
    memory::instance().time_read(*m_current);
  }
  return m_now;
}

void engine::end_of_thread() {
  thread& me = *m_current;
  memory::instance().drain_in_view(me);
  ++me.clock[me.id];
  memory::instance().own_event(me, 0xedu);
  me.waits = waiting::finished;
  trace("ends");
  go_on(manner::free_to_stay);
  std::abort();
}

std::string engine::who_waits() const {
  static constexpr const char* const words[] = {
      "can run", "spins", "sleeps in a futex", "waits for an OS mutex", "joins", "sleeps", "has ended"};
  std::string text;
  for (unsigned i = 0; i < m_live; ++i) {
    const thread& t = *m_threads[i];
    if (!text.empty()) text += ", ";
    text += t.name + ' ' + words[static_cast<unsigned>(t.waits)];
    if (t.waits == waiting::futex && t.deadline != never) text += " with a deadline";
  }
  return text;
}

void engine::trace(const char* format, ...) {
  if (!tracing()) return;
  std::printf("  %3u %-14s ", static_cast<unsigned>(m_steps), m_current->name.c_str());
  va_list args;
  va_start(args, format);
  std::vprintf(format, args);
  va_end(args);
  std::putchar('\n');
}

}  // namespace explore
