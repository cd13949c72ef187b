#include <app/run/interrupt.hpp>

#include <csignal>

#include <mortise/base/atomic.hpp>
#include <mortise/base/futex.hpp>

namespace app {
namespace {

// 0, or the signal. Written by the handler, which wakes whoever sleeps on it: both are safe in a handler.
constinit mortise::atomic<std::uint32_t> came{0};

void on_signal(int signal) {
  came.store(static_cast<std::uint32_t>(signal),
             mortise::memory_order_relaxed);  // a flag, nothing is published with it
  mortise::futex_wake(came, 1);
}

struct sigaction before_int, before_term;

}  // namespace

interrupt::interrupt() {
  came.store(0, mortise::memory_order_relaxed);
  struct sigaction ours{};
  ours.sa_handler = on_signal;
  ::sigemptyset(&ours.sa_mask);
  ours.sa_flags = SA_RESTART | SA_ONSTACK;  // it may come to a worker, on a fiber's small stack
  ::sigaction(SIGINT, &ours, &before_int);
  ::sigaction(SIGTERM, &ours, &before_term);
}

interrupt::~interrupt() {
  ::sigaction(SIGINT, &before_int, nullptr);
  ::sigaction(SIGTERM, &before_term, nullptr);
}

int interrupt::signal() noexcept { return static_cast<int>(came.load(mortise::memory_order_relaxed)); }

void interrupt::sleep_until(std::chrono::steady_clock::time_point t) {
  while (signal() == 0 && std::chrono::steady_clock::now() < t)
    mortise::futex_wait(came, 0, mortise::deadline_at(t));
}

}  // namespace app
