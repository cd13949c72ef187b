#pragma once

// Who waits on behalf of an execution context, so that it can end while they wait: the same for both flavours of Asio.

#include <mutex>
#include <thread>

#include <mortise/base/abi.hpp>
#include <mortise/wait/context.hpp>
#include <mortise/wait/executor.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI::wait {

class waiting_room;

// One operation that waits. Its parker is a callback_parker whose executor is the operation itself.
class visitor : public waiter, public executor {
 public:
  explicit visitor(waiting_room* room) noexcept : m_room{room} {}
  visitor(const visitor&) = delete;
  visitor& operator=(const visitor&) = delete;

  void post(job& j) noexcept final;

 protected:
  ~visitor() = default;

  // Brings the operation to the executor of its handler, which then runs or drops it. It may be gone before this returns.
  virtual void send() noexcept = 0;
  virtual void destroy() noexcept = 0;

  void run_job() noexcept { m_job->run(*m_job); }

  // It will never run: leaves the queue, passes on what it was offered, and ceases to exist.
  void drop() noexcept {
    m_job->drop(*m_job);
    destroy();
  }

 private:
  friend waiting_room;
  waiting_room* const m_room;  // null: its executor belongs to no context that could end
  job* m_job = nullptr;
  // Under the room's guard.
  visitor* m_before = nullptr;
  visitor* m_after = nullptr;
  bool m_inside = false;
  bool m_stranded = false;  // it was woken when the room was closed already
};

// 1. Promise     once close() has returned nobody who waited here is in a queue any more, or will send anything to the context
// 2. Word        none: one guard for all of it, held for some ten instructions
// 3. States      a visitor is inside (it waits), sent (the context has it, to run or to drop it), or stranded (the room was closed first)
//                inside --post--> sent; sent --claims nothing--> inside; sent --claims, stops or is dropped--> gone
//                closed: inside --post--> stranded --close--> gone
// 4. Invariants  I1: who is inside is brought to post() once more at least, by whoever wakes it; by close() if nobody does
//                I2: m_sending is not 0 while a visitor is on its way to the context in another thread
// 5. Orderings   all under the guard
// 6. Last touch  post() touches the visitor for the last time when it is sent, and the room as it counts itself out, which close() waits for
// 7. Wake ledger a stranded visitor is dropped by close(), which passes its offer on
// 8. Evidence    waiting_room_test.cpp, standalone_test.cpp, boost_test.cpp
class waiting_room {
 public:
  // False: it is closed, and nobody would see to `v`.
  bool enter(visitor& v) noexcept {
    const std::lock_guard hold{m_guard};
    if (m_closed) return false;
    v.m_inside = true;
    v.m_before = nullptr;
    v.m_after = m_first;
    if (m_first != nullptr) m_first->m_before = &v;
    m_first = &v;
    return true;
  }

  // Its wait is over.
  void leave(visitor& v) noexcept {
    const std::lock_guard hold{m_guard};
    take_out(v);
  }

  // The context ends, and none of its threads runs any more. Waits for those who are just waking somebody here: they are not many
  // instructions away.
  void close() noexcept {
    std::unique_lock hold{m_guard};
    m_closed = true;
    while (m_first != nullptr) {
      visitor& v = *m_first;
      take_out(v);
      hold.unlock();
      v.who->unpark();  // keeps I1
      hold.lock();
      await(hold, v.m_stranded);
      hold.unlock();
      v.drop();  // its handler may own what unlocks, and wakes others of this room
      hold.lock();
    }
    await(hold, m_nobody_sends);
  }

 private:
  friend visitor;

  // True: to be sent, and then to be told of with has_sent().
  bool sends(visitor& v) noexcept {
    const std::lock_guard hold{m_guard};
    if (m_closed) {
      v.m_stranded = true;
      return false;
    }
    take_out(v);
    ++m_sending;
    m_nobody_sends = false;
    return true;
  }
  void has_sent() noexcept {
    const std::lock_guard hold{m_guard};
    m_nobody_sends = --m_sending == 0;
  }

  // A flag that another thread is about to set. Not by a condition variable, which a fiber may not wait on.
  static void await(std::unique_lock<std::mutex>& hold, const bool& flag) noexcept {
    while (!flag) {
      hold.unlock();
      std::this_thread::yield();
      hold.lock();
    }
  }

  void take_out(visitor& v) noexcept {
    if (!v.m_inside) return;
    v.m_inside = false;
    (v.m_before != nullptr ? v.m_before->m_after : m_first) = v.m_after;
    if (v.m_after != nullptr) v.m_after->m_before = v.m_before;
  }

  std::mutex m_guard;
  visitor* m_first = nullptr;
  unsigned m_sending = 0;
  bool m_nobody_sends = true;
  bool m_closed = false;
};

inline void visitor::post(job& j) noexcept {
  m_job = &j;
  waiting_room* const room = m_room;
  if (room == nullptr) return send();
  if (!room->sends(*this)) return;
  send();
  room->has_sent();
}

}  // namespace mortise::inline MORTISE_ABI::wait
