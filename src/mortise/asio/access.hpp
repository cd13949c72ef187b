#pragma once

// What is to be had of which lock, and what is handed to who waited for it: the same for both flavours of Asio.

#include <cstddef>
#include <mutex>
#include <shared_mutex>
#include <type_traits>

#include <mortise/base/abi.hpp>
#include <mortise/lock/call_site.hpp>
#include <mortise/lock/guarded.hpp>
#include <mortise/lock/mutex.hpp>
#include <mortise/lock/semaphore.hpp>
#include <mortise/lock/shared_mutex.hpp>
#include <mortise/wait/subject.hpp>
#include <mortise/wait/waiter.hpp>

namespace mortise::inline MORTISE_ABI {

// One class for each way to get something, beyond a wait::acquisition (waiting.hpp):
//   subject()   what is waited for, for who looks on
//   hold        what the completion handler gets; `void`: nothing but the error code
//   put_back()  undoes a take_or_queue that said true
//   taken()     the hold, once it has been claimed
//   nothing()   a hold of nothing, for a wait that was cancelled
class lock_access {
  template <class Way>
  struct forwarding {
    Way way;
    wait::subject subject() const noexcept { return way.subject(); }
    bool take_or_queue(wait::waiter& n) const noexcept { return way.take_or_queue(n); }
    bool claim(wait::waiter& n) const noexcept { return way.claim(n); }
    void leave(wait::waiter& n) const noexcept { way.leave(n); }
  };

 public:
  class of_mutex : public forwarding<mutex::exclusive> {
   public:
    using hold = std::unique_lock<mutex>;
    of_mutex(mutex& m, call_site site) noexcept : forwarding{{m}}, m_site{site} {}
    void put_back() const noexcept { taken().unlock(); }
    hold taken() const noexcept {
      way.m.noted_async(m_site);
      return {way.m, std::adopt_lock};
    }
    hold nothing() const noexcept { return {way.m, std::defer_lock}; }

   private:
    [[no_unique_address]] call_site m_site;
  };

  template <class T>
  class of_guarded : public of_mutex {
   public:
    using hold = typename guarded<T>::guard;
    of_guarded(guarded<T>& g, call_site site) noexcept : of_mutex{g.m_mutex, site}, m_guarded{&g} {}
    hold taken() const noexcept { return hold{of_mutex::taken(), *m_guarded}; }
    static hold nothing() noexcept { return {}; }

   private:
    guarded<T>* m_guarded;
  };

  template <bool Writes>
  struct of_shared_mutex : forwarding<shared_mutex::acquisition<Writes>> {
    using hold = shared_mutex::held<Writes>;
    of_shared_mutex(shared_mutex& m, call_site) noexcept
        : forwarding<shared_mutex::acquisition<Writes>>{{m}} {}
    void put_back() const noexcept { taken().unlock(); }
    hold taken() const noexcept {
      this->way.m.noted_async(Writes ? shared_mutex::writing : shared_mutex::reading);
      return {this->way.m, std::adopt_lock};
    }
    hold nothing() const noexcept { return {this->way.m, std::defer_lock}; }
  };

  template <std::ptrdiff_t LeastMax>
  class of_semaphore : public forwarding<semaphore_core::one_permit> {
   public:
    using hold = void;
    of_semaphore(counting_semaphore<LeastMax>& s, call_site) noexcept : forwarding{{s}}, m_semaphore{s} {}
    void put_back() const noexcept { m_semaphore.release(); }

   private:
    counting_semaphore<LeastMax>& m_semaphore;
  };

  static of_mutex exclusive(mutex& m, call_site site) noexcept { return {m, site}; }
  static of_shared_mutex<true> exclusive(shared_mutex& m, call_site site) noexcept { return {m, site}; }
  template <class T>
  static of_guarded<T> exclusive(guarded<T>& g, call_site site) noexcept {
    return {g, site};
  }
  static of_shared_mutex<false> shared(shared_mutex& m, call_site site) noexcept { return {m, site}; }
  template <std::ptrdiff_t LeastMax>
  static of_semaphore<LeastMax> permit(counting_semaphore<LeastMax>& s, call_site site) noexcept {
    return {s, site};
  }
};

// A token or handler that says itself whose it is: it belongs to a namespace of Asio's, or names an executor. Others, such as lambdas, go with
// either flavour. (The name is looked up among the token's own namespaces.)
template <class Token>
concept says_whose_it_is =
    requires(const Token& t) { get_associated_executor(t); } || requires { typename Token::executor_type; };

}  // namespace mortise::inline MORTISE_ABI
