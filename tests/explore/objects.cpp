// Plain data, objects that come and go, and what the operating system keeps for an address.
#include <explore/memory.hpp>
#include <explore/trace.hpp>

namespace explore {

using namespace detail;

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

void memory::born_plain(const void* cell) {
  const inside here;
  born(cell);
  if (m_static_initialisation) return;
  const thread& t = engine::instance().current();
  location& x = find(cell, nullptr, 0);
  x.touched[t.id] = x.wrote[t.id] = t.clock[t.id] + 1;
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
  point_that_drains(m);
  location& x = find(m, nullptr, 0);
  if (x.dead != nullptr) e.fail(std::string("an OS mutex is locked that was ") + x.dead);
  drain_all(t);
  event(t, x, true, 0x10c);
  use& u = *static_cast<use*>(x.use);
  m_learned |= !std::exchange(u.tried, true);
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
  point_that_drains(m);
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
  location& x = find(m, nullptr, 0);
  // Who tries it sees that it is still held; who waits for it cannot tell.
  if (x.use != nullptr && static_cast<const use*>(x.use)->tried) point_that_drains(m);
  drain_in_view(t);
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
