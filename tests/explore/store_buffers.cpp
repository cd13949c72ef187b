// x86-TSO: stores that are on their way.
#include <algorithm>

#include <explore/memory.hpp>
#include <explore/trace.hpp>

namespace explore {

using namespace detail;

// x86-TSO ------------------------------------------------------------------------------------------------

void memory::drain(thread& t, std::size_t n) {
  t.drains = true;
  for (std::size_t i = 0; i < n; ++i) {
    settle(t, *t.buffer.front().where);  // others' to the same place may come before it
    const buffered_store b = t.buffer.front();
    t.buffer.erase(t.buffer.begin());
    const auto address = reinterpret_cast<std::uintptr_t>(b.where->address);
    location& x = *b.where;
    const std::uint64_t before = mixed(address, x.writes, x.reads);
    x.writes = mixed(b.hash, x.writes, x.reads);
    x.reads = 0;
    engine::instance().state_changed(before + mixed(b.hash, t.id), mixed(address, x.writes, x.reads));
    EXPLORE_TRACE("(the store of %#llx to #%u by %s leaves its buffer)", u(b.value), name(x), t.name.c_str());
    if (x.dead != nullptr)
      engine::instance().fail("a buffered store reaches an object that was " + std::string(x.dead));
    const store_event last = x.history.back();
    publish(x, (last.value & ~b.bits) | b.value, b.released, b.releases);
    if (b.bits != whole) x.history.back().released.join(last.released);
  }
  t.drains = false;
}

void memory::drain_all(thread& t) { drain(t, t.buffer.size()); }

// For what drains and is no choice itself: others may run while the stores are still on their way.
void memory::drain_in_view(thread& t) {
  if (t.buffer.empty()) return;
  point_that_drains(t.buffer.front().where->address);
  drain_all(t);
}

// What is touched may be nobody else's, and yet it matters to others when the stores before it arrive.
void memory::point_that_drains(const void* touched) {
  engine& e = engine::instance();
  if (!is_shared(touched)) {
    for (const buffered_store& b : e.current().buffer) {
      if (is_shared(b.where->address)) return e.point(b.where->address);
    }
  }
  e.point(touched);
}

bool memory::drain_something() {
  engine& e = engine::instance();
  bool any = false;
  for (unsigned i = 0; i < e.threads(); ++i) {
    any |= !e.at(i).buffer.empty();
    drain_all(e.at(i));
  }
  return any;
}

// Before `t` looks at `x`: have others' buffered stores to it arrived? Only here does it matter when they do.
void memory::settle(thread& t, location& x) {
  engine& e = engine::instance();
  for (unsigned i = 0; i < e.threads(); ++i) {
    thread& other = e.at(i);
    if (&other == &t || other.drains) continue;
    const auto found = std::find_if(other.buffer.begin(), other.buffer.end(),
                                    [&](const buffered_store& b) { return b.where == &x; });
    if (found == other.buffer.end()) continue;
    alternatives a;
    a.add(cost::free);  // it stays where it is: that was paid for when it was kept back
    a.add(cost::free);
    if (e.choose(a) == 0) continue;
    drain(other, static_cast<std::size_t>(found - other.buffer.begin()) + 1);
    return settle(t, x);  // those that stayed may follow it
  }
}

void memory::drained_for(thread& t, order o) {
  if (!weak() && o == order::seq_cst) drain_all(t);
}

}  // namespace explore
