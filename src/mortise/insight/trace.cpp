#include <mortise/insight/trace.hpp>

#include <mortise/base/atomic.hpp>
#include <mortise/insight/trace_log.hpp>
#include <mortise/task/task_block.hpp>
#include <mortise/task/task_names.hpp>
#include <mortise/wait/observer.hpp>

namespace mortise::inline MORTISE_ABI::insight::trace {
namespace {

event about(event_type type, const wait::parker& who) noexcept {
  event e;
  e.type = type;
  e.who = &who;
  e.number = who.id();
  return e;
}

class recorder final : public wait::observer {
 public:
  constexpr recorder() noexcept : wait::observer{of::tasks_too} {}

 private:
  void waits(const wait::waiter& n, wait::subject s) noexcept override {
    event e = about(event_type::waits, *n.who);
    if (!n.who->runs_by_itself()) {
      e.kind = wait::this_context().kind();
      // One that no worker of ours runs waits beside what its thread does.
      if (e.kind == wait::party::thread) e.kind = wait::party::coroutine;
    }
    e.node = &n;
    e.lock = s.what;
    e.text = s.kind;
    log(e);
  }
  void waits_no_more(const wait::waiter& n) noexcept override {
    event e;
    e.type = event_type::waits_no_more;
    e.node = &n;
    log(e);
  }
  void enters(const wait::parker& task, wait::party kind, unsigned worker) noexcept override {
    event e = about(event_type::enters, task);
    e.kind = kind;
    e.worker = worker;
    log(e);
  }
  void leaves(const wait::parker& task, const char* how) noexcept override {
    event e = about(event_type::leaves, task);
    e.text = how;
    const auto& t = static_cast<const task_detail::task_block&>(task);
    if (t.named) [[unlikely]]
      e.name = keep(task_detail::name_of(t).chars);
    log(e);
  }
  void wakes(const wait::parker& who) noexcept override { log(about(event_type::wakes, who)); }
};

constinit recorder told;

}  // namespace

void start(options o) {
  begin_log(o.most_events);
  wait::observe(told);
}

void stop() noexcept {
  wait::ignore(told);
  end_log();
}

}  // namespace mortise::inline MORTISE_ABI::insight::trace
