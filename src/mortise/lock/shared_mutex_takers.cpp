// What is kept of mortise::shared_mutex beside it: who has taken it. In checked builds at all times, for the order of locks, too
// (lock_order.hpp). Misuse that its state shows is named in every build.
#include <mortise/lock/order_check.hpp>
#include <mortise/lock/shared_mutex.hpp>
#include <mortise/lock/takers.hpp>
#include <mortise/wait/context.hpp>

#if MORTISE_IS_CHECKED

namespace mortise::inline MORTISE_ABI {

namespace {

void put(const void* lock, const wait::parker* taker, bool alone) {
  lock_detail::put_taker(lock, {taker, alone});
}

}  // namespace

void shared_mutex::noted_wait() noexcept {
  lock_detail::about_to_wait(this);
  asm volatile("");  // a tail call would take a frame out of the stack
}
void shared_mutex::noted_async_wait() noexcept {
  lock_detail::about_to_await(this);
  asm volatile("");
}

void shared_mutex::noted(mode m) noexcept {
  put(this, lock_detail::taken(this, lock_detail::way::blocking, m == writing), m == writing);
}
void shared_mutex::noted_async(mode m) noexcept {
  put(this, lock_detail::taken(this, lock_detail::way::async, m == writing), m == writing);
}

void shared_mutex::noted_release() noexcept {
  lock_detail::released(this, lock_detail::take_out_taker(this, &wait::this_context().self()));
}

void shared_mutex::noted_end() noexcept { lock_detail::destroyed(this); }

}  // namespace mortise::inline MORTISE_ABI

#elif !MORTISE_IS_MODEL

#include <exception>

namespace mortise::inline MORTISE_ABI {

// A coroutine of another library has no party: whoever runs it goes on when it suspends.
void shared_mutex::note_taker(mode m, bool async) noexcept {
  wait::context& here = wait::this_context();
  const bool is_party = !async || here.kind() == wait::party::coroutine;
  try {
    lock_detail::put_taker(this, {is_party ? &here.self() : nullptr, m == writing});
  } catch (const std::exception&) {
    return;  // no memory: it is not known
  }
}

void shared_mutex::note_release() noexcept {
  lock_detail::take_out_taker(this, &wait::this_context().self());
}

}  // namespace mortise::inline MORTISE_ABI

#endif
