#include <mortise/task/task_names.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <exception>
#include <mutex>
#include <unordered_map>

#include <mortise/base/fork.hpp>
#include <mortise/base/os_mutex.hpp>
#include <mortise/base/process_global.hpp>
#include <mortise/task/gdb_view.hpp>
#include <mortise/task/this_task.hpp>
#include <mortise/task/worker.hpp>

namespace mortise::inline MORTISE_ABI {
namespace task_detail {
namespace {

using name_text = std::array<char, longest_name + 1>;

struct names_of_tasks {
  os_mutex guard;
  std::unordered_map<const task_block*, name_text>* of =
      nullptr;  // made with the first name, never destroyed
};
constinit process_global<names_of_tasks> known;

name_text printable(std::string_view name) noexcept {
  name_text text{};
  name = name.substr(0, longest_name);
  std::transform(name.begin(), name.end(), text.begin(),
                 [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c; });
  return text;
}

}  // namespace

const gdb_fact gdb_view::names[] = {{"names", 0, &known},
                                    {"names.of", offsetof(names_of_tasks, of)},
                                    {"names.value", value_in_node},
                                    {nullptr}};

void name_task(task_block& t, std::string_view name) noexcept {
  if (name.empty()) return forget_name(t);
  hold_over_forks<known>();
  const std::lock_guard hold{known->guard};
  try {
    if (known->of == nullptr) known->of = new std::unordered_map<const task_block*, name_text>;
    (*known->of)[&t] = printable(name);
    t.named = true;
  } catch (const std::exception&) {
    return;  // no memory: it stays what it was
  }
}

void forget_name(task_block& t) noexcept {
  if (!t.named) return;
  t.named = false;
  const std::lock_guard hold{known->guard};
  known->of->erase(&t);
}

task_text name_of(const task_block& t) noexcept {
  task_text text{};
  const std::lock_guard hold{known->guard};
  if (known->of == nullptr) return text;
  if (const auto at = known->of->find(&t); at != known->of->end())
    std::copy(at->second.begin(), at->second.end(), text.chars);
  return text;
}

task_text describe(const task_block& t, wait::party kind) noexcept {
  const task_text name = name_of(t);
  task_text text;
  if (name.chars[0] == '\0') {
    std::snprintf(text.chars, sizeof text.chars, "%s %lu", to_string(kind), t.id());
  } else {
    std::snprintf(text.chars, sizeof text.chars, "%s %lu '%.*s'", to_string(kind), t.id(),
                  static_cast<int>(longest_name), name.chars);
  }
  return text;
}

}  // namespace task_detail

void this_task::name(std::string_view name) noexcept {
  task_detail::worker* const w = task_detail::worker::current();
  if (w != nullptr && w->running() != nullptr) task_detail::name_task(*w->running(), name);
}

}  // namespace mortise::inline MORTISE_ABI
