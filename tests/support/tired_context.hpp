#pragma once

#include <cstdlib>

#include <mortise/base/per_thread.hpp>
#include <mortise/wait/budget.hpp>
#include <mortise/wait/context.hpp>

namespace foreign {

// A context whose parties have run for long: a coroutine that comes to lock gives way first, and is not queued meanwhile.
class tired final : public mortise::wait::context {
 public:
  tired() : m_self{mortise::wait::this_context().self()} {
    m_before = mortise::wait::exchange_context(this);
    mortise::store_any_thread(mortise::wait::budget, -1);
  }
  tired(const tired&) = delete;
  tired& operator=(const tired&) = delete;
  ~tired() { mortise::wait::exchange_context(m_before); }
  mortise::wait::parker& self() noexcept override { return m_self; }
  void park(mortise::nanos) noexcept override { std::abort(); }
  void yield() noexcept override { std::abort(); }
  mortise::wait::party kind() const noexcept override { return mortise::wait::party::thread; }
  int refill_budget() noexcept override { return 0; }
  mortise::wait::parker* suspend_coroutine(void*, mortise::wait::waiter*) noexcept override {
    return nullptr;
  }

 private:
  mortise::wait::parker& m_self;
  mortise::wait::context* m_before;
};

}  // namespace foreign
