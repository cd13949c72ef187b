#pragma once

#include <memory>
#include <string>

#include <mortise/base/abi.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/cluster/session_core.hpp>
#include <mortise/cluster/store.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI::cluster {

// The answer to one transaction that changes nothing: asked for until one comes.
class answer : public std::enable_shared_from_this<answer> {
 public:
  answer(std::shared_ptr<session_core> s, transaction what)
      : m_session{std::move(s)}, m_what{std::move(what)} {}

  // A wait::acquisition.
  struct arrival {
    std::shared_ptr<answer> a;
    bool take_or_queue(wait::waiter& n) noexcept { return claim(n); }
    bool claim(wait::waiter& n) noexcept { return a->claim(n); }
    void leave(wait::waiter& n) noexcept { a->leave(n); }
  };

  // Once it has come. Throws: refused_error.
  MORTISE_API const std::vector<key_value>& value(const std::string& name) const;

 private:
  void ask();
  MORTISE_API bool claim(wait::waiter& n) noexcept;
  MORTISE_API void leave(wait::waiter& n) noexcept;
  void answered(const transaction_reply& r);

  const std::shared_ptr<session_core> m_session;
  const transaction m_what;
  os_mutex m_guard;
  wait::parker* m_who = nullptr;
  bool m_asked = false, m_has_come = false, m_given_up = false;
  transaction_reply m_reply;
};

}  // namespace mortise::inline MORTISE_ABI::cluster
