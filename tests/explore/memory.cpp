#include <explore/memory.hpp>

#include <cstring>

namespace explore {
namespace {

std::uint64_t value_at(const void* cell, unsigned size) noexcept {
  std::uint64_t v = 0;
  std::memcpy(&v, cell, size);
  return v;
}

constexpr bool acquires(order o) { return o == order::acquire || o == order::acq_rel || o == order::seq_cst; }
constexpr bool releases(order o) { return o == order::release || o == order::acq_rel || o == order::seq_cst; }

constexpr const char* name_of(order o) {
  constexpr const char* names[] = {"relaxed", "acquire", "release", "acq_rel", "seq_cst"};
  return names[static_cast<unsigned>(o)];
}

const char* file_of(const std::source_location& w) noexcept {
  const char* const slash = std::strrchr(w.file_name(), '/');
  return slash == nullptr ? w.file_name() : slash + 1;
}

std::string place(const std::source_location& w) {
  return std::string(file_of(w)) + ':' + std::to_string(w.line());
}

#define EXPLORE_TRACE(format, ...)                                                                 \
  do {                                                                                             \
    if (engine::instance().tracing()) engine::instance().trace(format __VA_OPT__(, ) __VA_ARGS__); \
  } while (0)

unsigned long long u(std::uint64_t v) { return v; }
unsigned name(const location& x) { return x.index; }

}  // namespace

memory& memory::instance() noexcept {
  static memory* const the = new memory;
  return *the;
}

void memory::begin() {
  m_live = 0;
  m_freed.clear();
  m_fence_view.clear();
  m_fence_clock = {};
  m_time = &find(&m_time, nullptr, 0);
}

// What is static keeps its value from one execution to the next, so it is put back.
void memory::end() noexcept {
  for (unsigned i = 0; i < m_live; ++i) {
    location& x = *m_locations[i];
    if (x.cell != nullptr && x.dead == nullptr) std::memcpy(x.cell, &x.initial, x.size);
  }
}

location* memory::known(const void* address) const noexcept {
  const std::uint64_t now = engine::instance().execution();
  for (std::size_t at = mixed(reinterpret_cast<std::uintptr_t>(address)) & (m_table.size() - 1);
       m_table[at].execution == now; at = (at + 1) & (m_table.size() - 1)) {
    if (m_table[at].address == address) return m_table[at].what;
  }
  return nullptr;
}

location& memory::find(const void* address, void* cell, unsigned size) {
  if (location* const x = known(address); x != nullptr) {
    if (x->size == 0 && size != 0) {  // so far nothing but a futex
      x->cell = cell;
      x->size = size;
      x->initial = x->history.back().value = value_at(cell, size);
    }
    return *x;
  }
  engine& e = engine::instance();
  if (m_live == m_table.size() / 2) e.fail("too many locations");
  if (m_live == m_locations.size()) m_locations.push_back(std::make_unique<location>());
  location& x = *m_locations[m_live];
  std::vector<store_event> history = std::move(x.history);
  history.clear();
  x = location{};
  x.history = std::move(history);
  x.index = m_live++;
  x.address = address;
  x.cell = cell;
  x.size = size;
  x.history.emplace_back();
  if (cell != nullptr) x.initial = x.history.back().value = value_at(cell, size);
  for (const range& r : m_freed) {
    if (address >= r.from && address < r.to) x.dead = "freed";
  }
  std::size_t at = mixed(reinterpret_cast<std::uintptr_t>(address)) & (m_table.size() - 1);
  while (m_table[at].execution == e.execution()) at = (at + 1) & (m_table.size() - 1);
  m_table[at] = {address, e.execution(), &x};
  return x;
}

location& memory::atomic_at(void* cell, unsigned size, const char* what, std::source_location where) {
  location& x = find(cell, cell, size);
  thread& t = engine::instance().current();
  if (x.dead != nullptr) {
    engine::instance().fail(std::string(what) + " at " + place(where) + " of an object that was " + x.dead);
  }
  x.touched[t.id] = ++t.clock[t.id];
  return x;
}

// The happens-before hash: a read depends on the last write, a write on that and on all reads since.
void memory::event(thread& t, location& x, bool write, std::uint64_t tag) {
  note_use(t, x, write);
  const auto address = reinterpret_cast<std::uintptr_t>(x.address);
  const std::uint64_t before = mixed(t.id, t.hash) + mixed(address, x.writes, x.reads);
  const std::uint64_t h = mixed(t.hash, address, x.writes, write ? x.reads : 1, tag);
  if (write) {
    x.writes = h;
    x.reads = 0;
  } else {
    x.reads += h;
  }
  t.hash = h;
  engine::instance().state_changed(before, mixed(t.id, t.hash) + mixed(address, x.writes, x.reads));
}

void memory::forget_shared() {
  m_uses.clear();
  m_learned = false;
}

bool memory::is_shared(const void* address) const noexcept {
  if (const location* const x = known(address); x != nullptr && x->use != nullptr)
    return static_cast<const use*>(x->use)->shared();
  const auto at = m_uses.find(address);
  return at != m_uses.end() && at->second.shared();
}

void memory::note_use(const thread& t, location& x, bool write) {
  if (x.use == nullptr) x.use = &m_uses[x.address];
  use& u = *static_cast<use*>(x.use);
  const bool before = u.shared();
  u.by |= 1u << t.id;
  u.written |= write;
  m_learned |= u.shared() != before;
}

void memory::own_event(thread& t, std::uint64_t tag) {
  const std::uint64_t before = mixed(t.id, t.hash);
  t.hash = mixed(t.hash, tag, 7);
  engine::instance().state_changed(before, mixed(t.id, t.hash));
}

void memory::joined(thread& me, const thread& ended) {
  me.clock.join(ended.clock);
  if (weak()) {
    if (me.view.size() < ended.view.size()) me.view.resize(ended.view.size());
    for (std::size_t i = 0; i < ended.view.size(); ++i) me.view[i] = std::max(me.view[i], ended.view[i]);
  }
  own_event(me, mixed(ended.id, 0x10));
}

void memory::time_moved(thread& t) {
  event(t, *m_time, true, static_cast<std::uint64_t>(engine::instance().now_as_it_is()));
}
void memory::time_read(thread& t) { event(t, *m_time, false, 3); }

std::uint32_t& memory::seen(thread& t, const location& x) {
  if (t.view.size() <= x.index) t.view.resize(x.index + 1);
  return t.view[x.index];
}

std::uint32_t memory::oldest_visible(thread& t, const location& x, order o) {
  std::uint32_t oldest = seen(t, x);
  if (o == order::seq_cst) oldest = std::max(oldest, x.newest_seq_cst);
  if (o == order::seq_cst && x.index < m_fence_view.size()) oldest = std::max(oldest, m_fence_view[x.index]);
  return oldest;
}

namespace {
void join_views(std::vector<std::uint32_t>& into, const std::vector<std::uint32_t>& from) {
  if (into.size() < from.size()) into.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) into[i] = std::max(into[i], from[i]);
}
}  // namespace

void memory::acquire(thread& t, const store_event& s) {
  t.clock.join(s.released);
  if (weak()) join_views(t.view, s.view);
}

// A store takes effect for all.
void memory::publish(location& x, std::uint64_t v, const vector_clock& released, bool does_release) {
  if (!weak()) x.history.clear();
  store_event& s = x.history.emplace_back();
  s.value = v;
  if (does_release) s.released = released;
  ++x.version;
  std::memcpy(x.cell, &v, x.size);
}

void memory::append(thread& t, location& x, std::uint64_t v, bool does_release,
                    const store_event* continues) {
  store_event before;
  if (continues != nullptr) before = *continues;  // a read-modify-write continues the release sequence
  publish(x, v, t.clock, does_release);
  store_event& s = x.history.back();
  s.released.join(before.released);
  if (weak()) {
    seen(t, x) = static_cast<std::uint32_t>(x.history.size() - 1);
    if (does_release) s.view = t.view;
    join_views(s.view, before.view);
  }
}

// x86-TSO ------------------------------------------------------------------------------------------------

void memory::drain(thread& t, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const buffered_store& b = t.buffer[i];
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
  t.buffer.erase(t.buffer.begin(), t.buffer.begin() + static_cast<std::ptrdiff_t>(n));
}

void memory::drain_all(thread& t) { drain(t, t.buffer.size()); }

// For what drains and is no choice itself: others may run while the stores are still on their way.
void memory::drain_in_view(thread& t) {
  if (t.buffer.empty()) return;
  engine::instance().point(t.buffer.front().where->address);
  drain_all(t);
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
    if (&other == &t) continue;
    for (std::size_t k = 0; k < other.buffer.size(); ++k) {
      if (other.buffer[k].where != &x) continue;
      alternatives a;
      a.add(cost::free);  // it stays where it is: that was paid for when it was kept back
      a.add(cost::free);
      if (e.choose(a) == 0) break;
      drain(other, k + 1);
      k = static_cast<std::size_t>(-1);
    }
  }
}

void memory::drained_for(thread& t, order o) {
  if (!weak() && o == order::seq_cst) drain_all(t);
}

// Operations ---------------------------------------------------------------------------------------------

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
  e.point(cell);
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
  e.point(cell);
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
  e.point(cell);
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
  e.point(&m_membarriers);
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
  e.point(&m_membarriers);
  event(t, find(&m_membarriers, nullptr, 0), true, 0xba);
  EXPLORE_TRACE("membarrier");
  ++m_membarriers;
  for (unsigned i = 0; i < e.threads(); ++i) {
    drain_all(e.at(i));
    own_event(e.at(i), 0xba);
    if (weak()) join_views(m_fence_view, e.at(i).view);
  }
  if (!weak()) return;
  for (unsigned i = 0; i < e.threads(); ++i) join_views(e.at(i).view, m_fence_view);
}

// A restartable sequence of the kernel's: load, compare, store of one byte. It is begun anew, here: given up, when its thread
// was interrupted or somebody called membarrier since it began.
bool memory::store_byte_if(void* cell, std::uint64_t expected, unsigned byte, std::uint8_t value,
                           std::source_location where) {
  const inside here;
  engine& e = engine::instance();
  thread& t = e.current();
  e.point(cell);
  location& x = atomic_at(cell, 8, "restartable sequence", where);
  settle(t, x);
  std::uint64_t seen_value = x.history.back().value;
  for (std::size_t k = 0; k < t.buffer.size(); ++k) {
    if (t.buffer[k].where == &x) seen_value = t.buffer[k].value;
  }
  event(t, x, false, 0x5e);
  if (seen_value != expected) return false;
  const std::uint64_t barriers = m_membarriers;
  // Between the load and the store others may run on other cores. On this core it would be an abort: a preemption here is
  // another core's progress, and an abort by itself is a deviation.
  e.point(cell);
  if (barriers != m_membarriers || e.deviates()) {
    EXPLORE_TRACE("the sequence is aborted  [%s]", place(where).c_str());
    own_event(t, 0xab);
    return false;
  }
  // The store of one byte: what others did to the rest of the word meanwhile stays.
  const bool kept = e.deviates();
  const std::uint64_t mask = std::uint64_t{0xff} << (8 * byte);
  if (kept) {
    // What it stores is a byte; the rest of the word is what it is when the store leaves the buffer.
    note_use(t, x, true);
    own_event(t, mixed(reinterpret_cast<std::uintptr_t>(cell), 0xb7e));
    t.buffer.push_back({&x, std::uint64_t{value} << (8 * byte), mask, mixed(t.hash, t.id), t.clock, true});
    e.state_changed(0, mixed(t.buffer.back().hash, t.id));
    EXPLORE_TRACE("the sequence's store is kept in its buffer  [%s]", place(where).c_str());
    return true;
  }
  drain_all(t);
  const std::uint64_t v = (x.history.back().value & ~mask) | std::uint64_t{value} << (8 * byte);
  event(t, x, true, v);
  const store_event s = x.history.back();
  append(t, x, v, true, &s);
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
  if (weak())
    seen(t, *x) = static_cast<std::uint32_t>(x->history.size() - 1);  // it comes to be seen in the end
}

// Plain data ---------------------------------------------------------------------------------------------

void memory::race(const thread& t, const location& x, unsigned other, const char* what,
                  std::source_location where) {
  engine::instance().fail("data race: " + t.name + " " + what + " at " + place(where) + " (#" +
                          std::to_string(x.index) + "), not ordered with an access of " +
                          engine::instance().at(other).name);
}

void memory::read_plain(const void* cell, std::source_location where) {
  engine& e = engine::instance();
  if (!e.active()) return;
  const inside here;
  thread& t = e.current();
  location& x = find(cell, nullptr, 0);
  if (x.dead != nullptr) e.fail("a read at " + place(where) + " of an object that was " + x.dead);
  for (unsigned i = 0; i < e.threads(); ++i) {
    if (i != t.id && x.wrote[i] > t.clock[i]) race(t, x, i, "reads", where);
  }
  x.touched[t.id] = t.clock[t.id] + 1;
}

void memory::write_plain(const void* cell, std::source_location where) {
  engine& e = engine::instance();
  if (!e.active()) return;
  const inside here;
  thread& t = e.current();
  location& x = find(cell, nullptr, 0);
  if (x.dead != nullptr) e.fail("a write at " + place(where) + " of an object that was " + x.dead);
  for (unsigned i = 0; i < e.threads(); ++i) {
    if (i != t.id && x.touched[i] > t.clock[i]) race(t, x, i, "writes", where);
  }
  x.touched[t.id] = x.wrote[t.id] = t.clock[t.id] + 1;
}

// Objects ------------------------------------------------------------------------------------------------

void memory::born(const void* cell) {
  location* const x = known(cell);
  if (x == nullptr) return;
  // A new object where another one was.
  const unsigned index = x->index;
  std::vector<store_event> history = std::move(x->history);
  history.clear();
  const auto address = reinterpret_cast<std::uintptr_t>(cell);
  engine::instance().state_changed(mixed(address, x->writes, x->reads), 0);
  *x = location{};
  x->history = std::move(history);
  x->history.emplace_back();
  x->address = cell;
  x->index = index;
  engine& e = engine::instance();
  e.state_changed(0, mixed(address, x->writes, x->reads));
  for (unsigned i = 0; i < e.threads(); ++i) {
    if (e.at(i).view.size() > index) e.at(i).view[index] = 0;
  }
  if (m_fence_view.size() > index) m_fence_view[index] = 0;
}

void memory::destroyed(const void* cell) {
  engine& e = engine::instance();
  if (!e.active()) return;
  const inside here;
  location* const x = known(cell);
  if (x == nullptr || x->dead != nullptr) return;
  thread& t = e.current();
  drain_in_view(t);
  for (unsigned i = 0; i < e.threads(); ++i) {
    if (i != t.id && x->touched[i] > t.clock[i])
      e.fail("an object (#" + std::to_string(x->index) + ") is destroyed by " + t.name +
             ", which is not ordered after an access of " + e.at(i).name);
  }
  x->dead = "destroyed";
}

void memory::die(const void* block, std::size_t size, const char* how) {
  const char* const from = static_cast<const char*>(block);
  m_freed.push_back({from, from + size});
  for (unsigned i = 0; i < m_live; ++i) {
    location& x = *m_locations[i];
    if (x.address >= from && x.address < from + size) x.dead = how;
  }
}

// System calls -------------------------------------------------------------------------------------------

location& memory::system_call(const void* address) {
  thread& t = engine::instance().current();
  drain_all(t);
  location& x = find(address, nullptr, 0);
  event(t, x, true, 0x5ca11);
  return x;
}

std::uint32_t memory::value_for_futex(const void* word) {
  const location& x = system_call(word);
  if (x.dead != nullptr) engine::instance().fail(std::string("a thread sleeps on a word that was ") + x.dead);
  return static_cast<std::uint32_t>(x.size == 0 ? value_at(word, 4) : x.history.back().value);
}

bool memory::os_mutex_held(const void* m) const noexcept {
  const location* const x = known(m);
  return x != nullptr && x->held;
}

bool memory::try_lock_os_mutex(const void* m) {
  engine& e = engine::instance();
  const inside here;
  thread& t = e.current();
  e.point(m);
  location& x = find(m, nullptr, 0);
  if (x.dead != nullptr) e.fail(std::string("an OS mutex is locked that was ") + x.dead);
  drain_all(t);
  event(t, x, true, 0x10c);
  if (x.held) return false;
  x.touched[t.id] = ++t.clock[t.id];
  acquire(t, x.history.back());
  x.held = true;
  EXPLORE_TRACE("OS mutex #%u locked", name(x));
  return true;
}

void memory::lock_os_mutex(const void* m) {
  engine& e = engine::instance();
  const inside here;
  thread& t = e.current();
  e.point(m);
  location& x = find(m, nullptr, 0);
  while (x.held) e.block(waiting::mutex, m);
  if (x.dead != nullptr) e.fail(std::string("an OS mutex is locked that was ") + x.dead);
  drain_all(t);
  event(t, x, true, 0x10c);
  x.touched[t.id] = ++t.clock[t.id];
  acquire(t, x.history.back());
  x.held = true;
  EXPLORE_TRACE("OS mutex #%u locked", name(x));
}

void memory::unlock_os_mutex(const void* m) {
  engine& e = engine::instance();
  const inside here;
  thread& t = e.current();
  drain_in_view(t);
  location& x = find(m, nullptr, 0);
  event(t, x, true, 0x0c);
  x.touched[t.id] = ++t.clock[t.id];
  x.held = false;
  x.history.clear();
  store_event& s = x.history.emplace_back();
  s.released = t.clock;
  if (weak()) s.view = t.view;
  EXPLORE_TRACE("OS mutex #%u unlocked", name(x));
}

}  // namespace explore
