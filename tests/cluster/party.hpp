#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include <mortise/cluster/lease_keeper.hpp>
#include <mortise/cluster/tenure.hpp>

#include "simulated_store.hpp"

namespace cluster_test {

// What is broken on purpose, to see that it is noticed.
enum class control : unsigned char {
  none,
  unfenced_put,        // the value is written without a compare
  unresolved_unknown,  // no answer is taken for "not done"
  trusted_deadline,    // while the lease is good by the local clock the value is written without a compare
  no_fence,            // an ask_for that was given up is not made to fail
  trusted_read,        // whatever server says that nobody is before me is believed
};

// What became of each element that was to be added to the value.
struct history {
  enum class fate : unsigned char { pending, applied, unknown };
  std::map<std::string, fate> elements;
  std::string complaint;  // the first thing that was wrong
  std::uint64_t lost = 0, unknown = 0, stale = 0, not_applied = 0, applied = 0, abandoned = 0;
  void complain(std::string what) {
    if (complaint.empty()) complaint = std::move(what);
  }
};

struct plan {
  int updates = 3;
  nanos ttl = 2000 * ms;
  double keeps = 0.3;     // the key is kept for the next update
  double gives_up = 0.1;  // a wait has a deadline
  double dies = 0;        // killed, and another one comes
  double paused = 0;      // stopped, and goes on later
  double clock_jumps = 0;
  nanos until = 0;  // when all that ends
  control broken = control::none;
};

// One process as the schedules have it: a lease, and one tenure after the other. The machines are the library's; what is here is what
// session, front and guarded do with them.
class party {
 public:
  party(int name, const plan& p, server& s, simulated_store& net, timeline& t, dice& d, history& h);
  party(const party&) = delete;
  party& operator=(const party&) = delete;

  bool done() const noexcept { return m_left == 0 && m_stays.empty(); }
  lease_id lease() const noexcept { return m_keeper.lease(); }
  void stop_renewing() noexcept { m_renewing = false; }

 private:
  struct stay {
    tenure machine;
    std::uint64_t watch = 0;
    bool handled = false;  // its end, or a commit's result, has been looked at
    std::uint64_t id;
  };
  using stays = std::list<std::shared_ptr<stay>>;

  nanos local() const noexcept { return m_time.now() + m_offset; }
  // Calls `what` at this process: later if it is stopped, not at all if it has been killed meanwhile.
  template <class F>
  auto here(F what);
  void renew();
  void trouble();
  void work();
  void perform(const std::shared_ptr<stay>& s, request r);
  void after(const std::shared_ptr<stay>& s);
  void commit(const std::shared_ptr<stay>& s);
  void committed(const std::shared_ptr<stay>& s);
  transaction tampered(transaction t, const stay& s) const;
  void take_for_not_done(const stay& s, transaction_reply& r) const;
  void note_hold(const stay& s);
  std::string element() const { return std::to_string(m_name) + "." + std::to_string(m_next); }
  void next_element() { ++m_next, --m_left; }

  const int m_name;
  const plan m_plan;
  server& m_server;
  simulated_store& m_net;
  timeline& m_time;
  dice& m_dice;
  history& m_history;
  const lock_names m_names{"lock"};

  lease_keeper m_keeper;
  std::uint64_t m_life = 1;  // grows when it is killed
  std::uint64_t m_renewals = 0;
  nanos m_stopped_until = 0;
  nanos m_offset = 0;
  revision m_fence = 0;
  lease_id m_fence_lease = 0;
  std::uint64_t m_serial = 0;
  stays m_stays;
  std::shared_ptr<stay> m_current;
  int m_left;
  int m_next = 0;
  bool m_renewing = true;
};

}  // namespace cluster_test
