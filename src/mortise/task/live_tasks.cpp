#include <mortise/task/live_tasks.hpp>

#include <mortise/task/task_names.hpp>

namespace mortise::inline MORTISE_ABI::task_detail {
namespace {

const char* doing(task_block::state s) noexcept {
  switch (s) {
    case task_block::idle: break;
    case task_block::running:
    case task_block::notified: return "running";
    case task_block::parked: return "parked";
    case task_block::sleeping:
    case task_block::untimed: return "sleeping";
    case task_block::due:
    case task_block::queued: return "queued";
  }
  return nullptr;
}

struct seen {
  const task_block* task;
  wait::party kind;
  const scope_core* scope;
  const char* state;
};

// Written as a task was made, which nothing orders for a thread that only looks; blocks are never freed.
__attribute__((no_sanitize("thread"))) seen look_at(const task_block& t) noexcept {
  return {&t, t.kind, t.scope, doing(t.m_state.load(memory_order_relaxed))};
}

}  // namespace

std::vector<live_task> live_tasks() {
  std::vector<seen> found;
  each_block(
      [](const task_block& t, void* with) {
        const seen s = look_at(t);
        if (s.state != nullptr && s.scope != nullptr) static_cast<std::vector<seen>*>(with)->push_back(s);
      },
      &found);
  std::vector<live_task> all;
  all.reserve(found.size());
  // Only now: names have a lock of their own.
  for (const seen& s : found)
    all.push_back({s.task, s.scope, describe(*s.task, s.kind).chars, s.state, s.kind});
  return all;
}

std::string text_of(const wait::parker& who, wait::party kind) {
  if (const auto* const t = dynamic_cast<const task_block*>(&who); t != nullptr)
    return describe(*t, kind).chars;
  return std::string{to_string(kind)} + " " + std::to_string(who.id());
}

std::string text_of(const wait::parker& who) {
  const auto* const t = dynamic_cast<const task_block*>(&who);
  return text_of(who, t != nullptr           ? look_at(*t).kind
                      : who.runs_by_itself() ? wait::party::thread
                                             : wait::party::fiber);
}

}  // namespace mortise::inline MORTISE_ABI::task_detail
