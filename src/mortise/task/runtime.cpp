#include <mortise/task/runtime.hpp>

#include <mortise/base/process_once.hpp>
#include <mortise/task/runtime_core.hpp>
#include <mortise/task/worker.hpp>

namespace mortise::inline MORTISE_ABI {

runtime::runtime(runtime_options options)
    : m_core{std::make_unique<task_detail::runtime_core>(std::move(options), *this)} {}

runtime::~runtime() = default;

unsigned runtime::workers() const noexcept { return m_core->workers(); }

runtime& runtime::current() {
  if (auto* const w = task_detail::worker::current(); w != nullptr) return w->home().owner();
  return default_runtime();
}

runtime& runtime::default_runtime() {
  // Never destroyed: detached tasks may run until the very end of the process.
  static constinit process_once made;
  static constinit runtime* r = nullptr;
  made([] { r = new runtime; });
  r->m_core->check_fork();
  return *r;
}

}  // namespace mortise::inline MORTISE_ABI
