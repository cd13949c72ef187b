// What is known of each address, who uses it, and the happens-before order that leads to a state.
#include <explore/memory.hpp>
#include <explore/trace.hpp>

namespace explore {

using namespace detail;

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
  // What a fence has published it must see, so it matters whether it comes before that fence or after it.
  if (o == order::seq_cst) event(t, find(&m_membarriers, nullptr, 0), false, 0x5c);
  if (o == order::seq_cst) oldest = std::max(oldest, x.newest_seq_cst);
  if (o == order::seq_cst && x.index < m_fence_view.size()) oldest = std::max(oldest, m_fence_view[x.index]);
  return oldest;
}

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

}  // namespace explore
