// What atomic operations do in either memory.
#include <algorithm>

#include <explore/memory.hpp>
#include <explore/trace.hpp>

namespace explore {

using namespace detail;

std::uint64_t memory::load(void* cell, unsigned size, order o, std::source_location where) {
  const inside here;
  engine& e = engine::instance();
  thread& t = e.current();
  if (!e.active()) return value_at(cell, size);
  e.point(cell);
  location& x = atomic_at(cell, size, "load", where);
  t.last_read = &x;
  t.last_read_version = x.version;
  for (std::size_t k = t.buffer.size(); k-- > 0;) {
    if (t.buffer[k].where != &x) continue;
    if (t.buffer[k].bits != whole) {  // a part of it: the load waits until that has arrived
      drain(t, k + 1);
      break;
    }
    own_event(t, mixed(t.buffer[k].hash, 5));
    EXPLORE_TRACE("%s load of #%u: %#llx from its own buffer  [%s]", name_of(o), name(x),
                  u(t.buffer[k].value), place(where).c_str());
    return t.buffer[k].value;
  }
  std::size_t index = x.history.size() - 1;
  if (weak()) {
    const std::uint32_t oldest = oldest_visible(t, x, o);
    alternatives a;
    for (std::size_t i = x.history.size(); i-- > oldest && a.count < alternatives::most;)
      a.add(i + 1 == x.history.size() ? cost::free : cost::deviation);
    index -= e.choose(a);
    t.last_read_version = x.version - (x.history.size() - 1 - index);
  } else {
    settle(t, x);
    index = x.history.size() - 1;
    t.last_read_version = x.version;
  }
  const store_event& s = x.history[index];
  event(t, x, false, mixed(index, static_cast<unsigned>(o)));
  if (weak()) seen(t, x) = static_cast<std::uint32_t>(index);
  if (acquires(o)) acquire(t, s);
  EXPLORE_TRACE("%s load of #%u: %#llx%s  [%s]", name_of(o), name(x), u(s.value),
                index + 1 == x.history.size() ? "" : " (stale)", place(where).c_str());
  return s.value;
}

void memory::store(void* cell, unsigned size, std::uint64_t v, order o, std::source_location where) {
  const inside here;
  engine& e = engine::instance();
  thread& t = e.current();
  if (!e.active()) {
    std::memcpy(cell, &v, size);
    return;
  }
  if (!weak() && o != order::seq_cst && !t.buffer.empty()) {
    // behind the others: nobody can see it
    location& x = atomic_at(cell, size, "store", where);
    note_use(t, x, true);
    own_event(t, mixed(reinterpret_cast<std::uintptr_t>(cell), v, 11));
    t.buffer.push_back({&x, v, whole, mixed(t.hash, t.id), t.clock, releases(o)});
    e.state_changed(0, mixed(t.buffer.back().hash, t.id));
    EXPLORE_TRACE("%s store of %#llx to #%u, buffered  [%s]", name_of(o), u(v), name(x),
                  place(where).c_str());
    return;
  }
  point_that_drains(cell);
  location& x = atomic_at(cell, size, "store", where);
  if (!weak() && o != order::seq_cst && e.deviates()) {
    note_use(t, x, true);
    own_event(t, mixed(reinterpret_cast<std::uintptr_t>(cell), v, 11));
    t.buffer.push_back({&x, v, whole, mixed(t.hash, t.id), t.clock, releases(o)});
    e.state_changed(0, mixed(t.buffer.back().hash, t.id));
    EXPLORE_TRACE("%s store of %#llx to #%u, kept in its buffer  [%s]", name_of(o), u(v), name(x),
                  place(where).c_str());
    return;
  }
  drained_for(t, o);
  if (!weak()) settle(t, x);
  event(t, x, true, mixed(v, static_cast<unsigned>(o)));
  append(t, x, v, releases(o), nullptr);
  if (o == order::seq_cst) x.newest_seq_cst = static_cast<std::uint32_t>(x.history.size() - 1);
  EXPLORE_TRACE("%s store of %#llx to #%u  [%s]", name_of(o), u(v), name(x), place(where).c_str());
}

std::uint64_t memory::modify(void* cell, unsigned size, change_function change, std::uint64_t argument,
                             order o, std::source_location where) {
  const inside here;
  engine& e = engine::instance();
  thread& t = e.current();
  if (!e.active()) {
    const std::uint64_t old = value_at(cell, size), v = change(old, argument);
    std::memcpy(cell, &v, size);
    return old;
  }
  point_that_drains(cell);
  location& x = atomic_at(cell, size, "read-modify-write", where);
  drain_all(t);
  settle(t, x);
  const store_event s = x.history.back();
  std::uint64_t v = change(s.value, argument);
  if (size < 8) v &= (std::uint64_t{1} << (8 * size)) - 1;
  event(t, x, true, mixed(v, static_cast<unsigned>(o)));
  if (acquires(o)) acquire(t, s);
  append(t, x, v, releases(o), &s);
  if (o == order::seq_cst) x.newest_seq_cst = static_cast<std::uint32_t>(x.history.size() - 1);
  t.last_read = &x;
  t.last_read_version = x.version;
  EXPLORE_TRACE("%s change of #%u: %#llx -> %#llx  [%s]", name_of(o), name(x), u(s.value), u(v),
                place(where).c_str());
  return s.value;
}

bool memory::compare_exchange(void* cell, unsigned size, std::uint64_t& expected, std::uint64_t desired,
                              order success, order failure, bool weak_form, std::source_location where) {
  const inside here;
  engine& e = engine::instance();
  thread& t = e.current();
  if (!e.active()) {
    const std::uint64_t old = value_at(cell, size);
    if (old == expected) std::memcpy(cell, &desired, size);
    return std::exchange(expected, old) == old;
  }
  point_that_drains(cell);
  location& x = atomic_at(cell, size, "compare-exchange", where);
  drain_all(t);
  settle(t, x);
  std::size_t index = x.history.size() - 1;
  const bool would = x.history.back().value == expected;
  if (weak() && !would) {
    // a failing one is a load
    std::vector<std::size_t> stale;
    alternatives a;
    a.add(cost::free);
    const std::uint32_t oldest = oldest_visible(t, x, failure);
    for (std::size_t i = index; i-- > oldest && a.count < alternatives::most;) {
      if (x.history[i].value == expected) continue;
      stale.push_back(i);
      a.add(cost::deviation);
    }
    if (a.count > 1) {
      if (const unsigned c = e.choose(a); c != 0) index = stale[c - 1];
    }
  }
  const store_event s = x.history[index];
  t.last_read = &x;
  t.last_read_version = x.version - (x.history.size() - 1 - index);
  const bool done = would && !(weak_form && e.options().spurious && e.deviates());
  event(t, x, done, mixed(index, done ? desired : 1, static_cast<unsigned>(success)));
  if (!done) {
    if (weak()) seen(t, x) = static_cast<std::uint32_t>(index);
    if (acquires(failure)) acquire(t, s);
    EXPLORE_TRACE("compare-exchange of #%u fails: %#llx, not %#llx  [%s]", name(x), u(s.value), u(expected),
                  place(where).c_str());
    expected = s.value;
    return false;
  }
  if (acquires(success)) acquire(t, s);
  append(t, x, desired, releases(success), &s);
  if (success == order::seq_cst) x.newest_seq_cst = static_cast<std::uint32_t>(x.history.size() - 1);
  t.last_read_version = x.version;
  EXPLORE_TRACE("%s compare-exchange of #%u: %#llx -> %#llx  [%s]", name_of(success), name(x), u(s.value),
                u(desired), place(where).c_str());
  return true;
}

void memory::fence_seq_cst() {
  const inside here;
  engine& e = engine::instance();
  thread& t = e.current();
  point_that_drains(&m_membarriers);
  drain_all(t);
  event(t, find(&m_membarriers, nullptr, 0), true, 0xfe);
  ++t.clock[t.id];
  if (!weak()) return;
  join_views(m_fence_view, t.view);
  join_views(t.view, m_fence_view);
}

void memory::membarrier() {
  const inside here;
  engine& e = engine::instance();
  thread& t = e.current();
  point_that_drains(&m_membarriers);
  location& barriers = find(&m_membarriers, nullptr, 0);
  event(t, barriers, true, 0xba);
  EXPLORE_TRACE("membarrier");
  ++m_membarriers;
  for (unsigned i = 0; i < e.threads(); ++i) {
    drain_all(e.at(i));
    note_use(e.at(i), barriers, true);  // it is something that all of them do
    own_event(e.at(i), 0xba);
    if (weak()) join_views(m_fence_view, e.at(i).view);
  }
  if (!weak()) return;
  for (unsigned i = 0; i < e.threads(); ++i) join_views(e.at(i).view, m_fence_view);
}

// A restartable sequence of the kernel's: load, compare, store. It is given up when its thread was interrupted, or somebody
// called membarrier, before the store was made. Others may run between load and store, on other cores.
bool memory::store_if(void* cell, std::uint64_t expected, std::uint64_t bits, std::uint64_t value,
                      std::source_location where) {
  const inside here;
  engine& e = engine::instance();
  thread& t = e.current();
  e.point(cell);
  location& x = atomic_at(cell, 8, "restartable sequence", where);
  settle(t, x);
  std::uint64_t found = x.history.back().value;
  for (const buffered_store& b : t.buffer) {
    if (b.where == &x) found = (found & ~b.bits) | b.value;
  }
  event(t, x, false, 0x5e);
  if (found != expected) return false;
  const std::uint64_t barriers = m_membarriers;
  point_that_drains(cell);
  if (barriers != m_membarriers || e.deviates()) {
    EXPLORE_TRACE("the sequence is aborted  [%s]", place(where).c_str());
    own_event(t, 0xab);
    return false;
  }
  if (x.dead != nullptr) e.fail("a sequence at " + place(where) + " stores to an object that was " + x.dead);
  if (!weak() && e.deviates()) {
    note_use(t, x, true);
    own_event(t, mixed(reinterpret_cast<std::uintptr_t>(cell), 0xb7e));
    t.buffer.push_back({&x, value & bits, bits, mixed(t.hash, t.id), t.clock, true});
    e.state_changed(0, mixed(t.buffer.back().hash, t.id));
    EXPLORE_TRACE("the sequence's store is kept in its buffer  [%s]", place(where).c_str());
    return true;
  }
  drain_all(t);
  settle(t, x);
  const store_event last = x.history.back();
  const std::uint64_t v = (last.value & ~bits) | (value & bits);
  event(t, x, true, v);
  append(t, x, v, true, bits == whole ? nullptr : &last);
  EXPLORE_TRACE("the sequence stores: #%u is %#llx  [%s]", name(x), u(v), place(where).c_str());
  return true;
}

void memory::await_change() {
  const inside here;
  engine& e = engine::instance();
  thread& t = e.current();
  location* const x = t.last_read;
  if (x == nullptr) return e.yield();
  t.seen_version = t.last_read_version;
  EXPLORE_TRACE("spins until #%u changes", name(*x));
  e.block(waiting::change, x);
  // Something newer comes to be seen, not at once the newest: it may have waited for that, and been interrupted before it looks.
  if (weak()) seen(t, *x) = std::max(seen(t, *x), static_cast<std::uint32_t>(t.seen_version + 1));
}

}  // namespace explore
