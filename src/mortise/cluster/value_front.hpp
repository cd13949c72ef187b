#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/cluster/front.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// A front whose lock guards a value. Parties change a working copy one after the other, and what they changed is committed together, when nobody
// else is coming or the bounds are reached: one transaction for many changes. Each is told what became of the commit that has his.
//
// F4: the working copy belongs to who is inside while the key is held; where nobody is, to who has m_guard.
// F5: a change that was joined is committed, or everybody who joined is told: somebody is inside, or coming, or it is on its way (settle). One who
// is coming and does not come: F6.
class MORTISE_API value_front : public front {
 public:
  enum class fate : unsigned char { pending, applied, again, lost, unknown, refused };

  // One party's change on its way. Lives with its wait; who goes away does not hear of it, but it may be applied.
  class ticket {
   public:
    ticket() = default;
    ticket(const ticket&) = delete;
    ticket& operator=(const ticket&) = delete;
    ~ticket() {
      if (m_front != nullptr) m_front->forget(*this);
    }
    fate what() const noexcept { return m_fate; }
    // Throws what `what()` says, if it is none of applied and again.
    MORTISE_API void rethrow(const lock_names& names) const;

   private:
    friend value_front;
    value_front* m_front = nullptr;  // once it was joined
    wait::parker* m_who = nullptr;
    fate m_fate = fate::pending;
    std::string m_why;
    std::exception_ptr m_error;
  };

  // A wait::acquisition: to be told.
  struct news {
    value_front* f;
    ticket* t;
    MORTISE_API bool take_or_queue(wait::waiter& n) noexcept;
    bool claim(wait::waiter& n) noexcept { return take_or_queue(n); }
    MORTISE_API void leave(wait::waiter& n) noexcept;
  };

  MORTISE_API value_front(std::shared_ptr<session_core> s, lock_names names, handover_bounds b);

  // Requires: inside. What was committed last, and a number that is another one whenever the working copy must be made anew from it.
  std::string_view bytes() const noexcept { return m_stay->machine.state().bytes; }
  bool value_exists() const noexcept { return m_stay->machine.state().count != 0; }
  std::uint64_t version() const noexcept { return m_version; }

  // Requires: inside; afterwards the caller is not. The working copy has his change.
  MORTISE_API void join(ticket& t) noexcept;
  // Requires: inside; afterwards the caller is not. He has left the working copy as it was.
  MORTISE_API void exit_without_change() noexcept;

  MORTISE_API void await(ticket& t) noexcept;  // blocks the thread or fiber

 protected:
  virtual std::string encode() const = 0;  // the working copy (F4)

 private:
  void commit_ended(stay& s) override;
  bool commit_what_is_left() override;
  void new_state() override { ++m_version; }
  void begin_commit(std::string bytes, key mine);
  void tell_all(std::vector<ticket*>& those, fate what, const std::string& why,
                const std::exception_ptr& error);
  void forget(ticket& t) noexcept;

  std::vector<ticket*> m_joined, m_flying;
  unsigned m_changes = 0, m_changes_flying = 0;
  nanos m_first_joined = 0;
  std::uint64_t m_version = 1;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
