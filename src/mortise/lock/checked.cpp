// What checked builds add to mortise::mutex: owners, in a table beside the locks, so that size, layout and
// protocol stay those of the unchecked build. Entries are written by the holder only, while it holds the
// lock.
#include <mortise/base/abi.hpp>

#if MORTISE_IS_CHECKED

#include <cstddef>
#include <cstdio>
#include <unordered_map>

#include <mortise/base/fatal.hpp>
#include <mortise/base/gdb_facts.hpp>
#include <mortise/lock/cv_check.hpp>
#include <mortise/lock/holder.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/lock/order_check.hpp>
#include <mortise/lock/shards.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI {
namespace {

struct holder {
  const wait::parker* who = nullptr;  // null: taken by async_lock, which may be unlocked anywhere
  unsigned long id = 0;
  wait::party kind = wait::party::thread;
  call_site site{};
  const wait::parker* taker = nullptr;  // has it among its holds; null: a coroutine that is no task
};

struct owners : std::unordered_map<const void*, holder> {};

// Few enough, with those of the order check, that ThreadSanitizer, which keeps count of 64 locks of a thread, bears to see all held over a fork.
using sharded = lock_detail::shards<owners, 16>;
[[maybe_unused]] const auto& made_at_load = sharded::all();

void put(const void* lock, const holder& h) { (*sharded::of{lock})[lock] = h; }

bool find(const void* lock, holder& out) {
  const sharded::of shard{lock};
  const auto at = shard->find(lock);
  if (at == shard->end()) return false;
  out = at->second;
  return true;
}

void erase(const void* lock) {
  const sharded::of shard{lock};
  shard->erase(lock);
}

struct text {
  char chars[160];
};

text describe(const holder& h) {
  text t;
  if (h.who == nullptr) {
    std::snprintf(t.chars, sizeof t.chars, "async_lock at %s:%u", h.site.file, h.site.line);
  } else {
    std::snprintf(t.chars, sizeof t.chars, "%s %lu", to_string(h.kind), h.id);
  }
  return t;
}

holder myself() {
  wait::context& c = wait::this_context();
  wait::parker& me = c.self();
  return {&me, me.id(), c.kind(), {}, nullptr};
}

}  // namespace

std::optional<lock_detail::holder_seen> lock_detail::holder_of(const void* lock) {
  holder h;
  if (!find(lock, h)) return std::nullopt;
  return holder_seen{h.who != nullptr ? h.who : h.taker, describe(h).chars};
}

const gdb_fact gdb_holders[] = {{"shards", 0, &sharded::kept},
                                {"shards.many", sharded::many},
                                {"shard.size", sizeof(sharded::shard)},
                                {"shard.holders", offsetof(sharded::shard, table)},
                                {"shard.value", value_in_node + sizeof(const void*)},
                                {"holder.who", offsetof(holder, who)},
                                {"holder.id", offsetof(holder, id)},
                                {"holder.kind", offsetof(holder, kind)},
                                {"holder.file", offsetof(holder, site) + offsetof(call_site, file)},
                                {"holder.line", offsetof(holder, site) + offsetof(call_site, line)},
                                {nullptr}};

void mutex::noted_wait() noexcept {
  lock_detail::about_to_wait(this);
  asm volatile("");  // a tail call would take a frame out of the stack
}
void mutex::noted_async_wait() noexcept {
  lock_detail::about_to_await(this);
  asm volatile("");
}

void mutex::noted() noexcept {
  detail::keep_cv_check();
  holder me = myself();
  me.taker = lock_detail::taken(this, lock_detail::way::blocking, true);
  put(this, me);
}
void mutex::noted_async(call_site site) noexcept {
  put(this,
      {nullptr, 0, wait::party::coroutine, site, lock_detail::taken(this, lock_detail::way::async, true)});
}

void mutex::noted_release() noexcept {
  holder h;
  if (!find(this, h)) return;  // not locked: unlock itself names that
  const holder me = myself();
  if (h.who != nullptr && (h.who != me.who || h.id != me.id)) {
    fatal(
        "unlock of the mutex at %p by %s, but it is held by %s: what lock() took, the same thread or fiber unlocks",
        static_cast<void*>(this), describe(me).chars, describe(h).chars);
  }
  lock_detail::released(this, h.taker);
  erase(this);
}

void mutex::check_wait() noexcept {
  const holder me = myself();
  if (holder h; find(this, h) && h.who == me.who) {
    fatal("lock of the mutex at %p by %s, which holds it already: it would wait for itself for ever",
          static_cast<void*>(this), describe(me).chars);
  }
  if (me.kind == wait::party::coroutine) {
    fatal(
        "lock() of the mutex at %p has to wait in coroutine %lu: a coroutine waits with co_await async_lock()",
        static_cast<void*>(this), me.id);
  }
}

mutex::~mutex() {
  const std::uint64_t w =
      m_word.load(memory_order_relaxed);  // whoever still used it would race with this, and is named
  if ((w & (word::held | word::head)) == 0) {
    lock_detail::destroyed(this);
    return;
  }
  if (head_of(w) != nullptr) {
    fatal("the mutex at %p is destroyed while others wait for it: it must outlive its waiters",
          static_cast<void*>(this));
  }
  holder h;
  const bool known = find(this, h);
  fatal("the mutex at %p is destroyed while it is held by %s: unlock it first", static_cast<void*>(this),
        known ? describe(h).chars : "someone");
}

}  // namespace mortise::inline MORTISE_ABI

#endif
