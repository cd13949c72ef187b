#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/outcome.hpp>
#include <mortise/base/token_gate.hpp>
#include <mortise/cluster/local_turn.hpp>
#include <mortise/cluster/names.hpp>
#include <mortise/cluster/numbers.hpp>
#include <mortise/cluster/session_core.hpp>
#include <mortise/cluster/tenure.hpp>
#include <mortise/wait/limit.hpp>
#include <mortise/wait/subject.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// How long a process keeps a lock for its own parties while they come one after the other. Then it gives the key back, and stands at the end of
// the queue like everybody else.
struct handover_bounds {
  unsigned most = 64;                                             // acquisitions of one tenure
  std::chrono::nanoseconds time = std::chrono::milliseconds{50};  // from when it began
};

// One lock of the cluster as this process has it: its parties queue for a mortise::mutex, and who has that one represents them outside.
//
// States, under m_guard. A party: coming (queued locally), inside (has the local mutex; represents), and gone. The key: no stay; m_stay asks,
// waits, holds, commits. Invariants: F1: one party is inside. F2: without one inside and one coming there is no stay, or one that commits: whoever
// leaves last gives the key back (settle). F3: whoever is inside and waits is in m_who, and is woken by each change of the stay.
// F6: one who never comes (his executor has stopped) holds up nobody for more than 20 ms: the key that was left for him is given back, and what he
// was told is taken back (look).
// Wakes are done after m_guard is given up, and so is the local mutex. The store is called under it: it answers on a thread of its own.
class MORTISE_API front : public lease_listener, public std::enable_shared_from_this<front> {
 public:
  enum class patience : bool { waits, tries };
  // One party's way in. Lives with its wait.
  struct visit {
    enum class place : unsigned char { outside, coming, represents, inside, refused, in_vain };
    place at = place::outside;
    patience how = patience::waits;
    nanos asked = 0;  // when
    std::string why;  // refused
  };
  // A wait::acquisition: first of the local mutex, then of the key.
  struct entry {
    front* f;
    visit* v;
    wait::subject subject() const noexcept { return f->subject(); }
    MORTISE_API bool take_or_queue(wait::waiter& n) noexcept;
    MORTISE_API bool claim(wait::waiter& n) noexcept;
    MORTISE_API void leave(wait::waiter& n) noexcept;
  };

  MORTISE_API front(std::shared_ptr<session_core> s, lock_names names, handover_bounds b,
                    bool guards_a_value);
  front(const front&) = delete;
  front& operator=(const front&) = delete;
  MORTISE_API virtual ~front();
  void listen() { m_session->listen(weak_from_this()); }

  // Blocks the thread or fiber. Throws: refused_error.
  MORTISE_API outcome enter(const wait::bound& until);
  MORTISE_API bool try_enter();
  MORTISE_API void exit() noexcept;  // requires: inside
  [[noreturn]] MORTISE_API void throw_refused(const visit& v) const;

  // What its parties wait for, for who looks on.
  wait::subject subject() const noexcept {
    return {this, m_guards_a_value ? "cluster guarded" : "cluster mutex", false, &tell};
  }

  MORTISE_API mortise::token token() const;  // requires: inside
  MORTISE_API std::stop_token lost() const;  // requires: inside
  MORTISE_API bool is_held() const;
  MORTISE_API numbers counted() const;
  const lock_names& names() const noexcept { return m_names; }
  session_core& session() const noexcept { return *m_session; }

 protected:
  struct stay {
    tenure machine;
    lease_id lease;
    std::string key;
    std::uint64_t watch = 0;      // for the one before me
    std::uint64_t own_watch = 0;  // for my key, while it is held
    std::uint64_t warning = 0;
    std::stop_source warned{};
    nanos held_since = 0;
    unsigned acquisitions = 0;
    bool was_waited_for = false;  // somebody of another process was before me
    bool has_held = false;
    bool seen_gone = false;
    bool ended = false;
  };

  // m_guard, and at its end what must not be done under it.
  class section {
   public:
    explicit section(front& f) : m_front{f} { f.m_guard.lock(); }
    section(const section&) = delete;
    section& operator=(const section&) = delete;
    MORTISE_API ~section();

   private:
    front& m_front;
  };

  // All of the following under m_guard.
  virtual void commit_ended(stay&) {}
  virtual bool commit_what_is_left() { return false; }  // true: a commit has begun, which gives the key back
  virtual void new_state() {}
  void settle();
  void give_key_back_or_keep();
  void perform(const std::shared_ptr<stay>& s, request r);
  void after(const std::shared_ptr<stay>& s);
  void wake(wait::parker* who) {
    if (who != nullptr) m_wakes.push_back(who);
  }
  void leave_local() noexcept { m_gives_up_local = true; }
  void left() noexcept {  // who was inside has
    m_inside = false;
    m_numbers.hold.record(now_ns() - m_inside_since);
    leave_local();
  }
  bool may_keep() const;

  const std::shared_ptr<session_core> m_session;
  const lock_names m_names;
  const handover_bounds m_bounds;
  const bool m_guards_a_value;
  const std::uint64_t m_serial;

  mutable os_mutex m_guard;
  std::shared_ptr<stay> m_stay;
  unsigned m_coming = 0;
  bool m_inside = false;
  nanos m_inside_since = 0;
  numbers m_numbers;

 private:
  static void tell(const void* whom, wait::particulars& to) noexcept;
  void lease_changed(lease_id before, lease_id now) override;
  bool proceed(wait::waiter& n, visit& v);
  void entered(visit& v);
  void release();
  bool one_may_not_come() const;
  void look_after_those_to_come();
  void look();
  void end_visit(wait::waiter& n, visit& v, visit::place how);
  void begin_stay();
  void end_stay();
  void holds(const std::shared_ptr<stay>& s);
  void watch_own(const std::shared_ptr<stay>& s, revision from);
  void look_for_own(const std::shared_ptr<stay>& s);
  void own_key_is_gone(stay& s);
  void over(stay& s);
  template <class Event>
  auto later(const std::shared_ptr<stay>& s, Event e);

  local_turn m_turn;
  wait::parker* m_who = nullptr;
  visit* m_representing = nullptr;             // who is inside and has not been told that the key is held
  nanos m_left_since = 0;                      // 0: one_may_not_come() is false
  bool m_looks = false;                        // look() is on its way
  std::vector<std::shared_ptr<stay>> m_stays;  // those that are not over
  revision m_fence = 0;
  lease_id m_fence_lease = 0;
  std::string m_refusal;  // what ended the last stay, for who represents
  std::vector<wait::parker*> m_wakes;
  bool m_gives_up_local = false;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
