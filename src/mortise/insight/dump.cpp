#include <mortise/insight/dump.hpp>

#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include <mortise/base/os_thread.hpp>
#include <mortise/base/process_once.hpp>
#include <mortise/insight/places.hpp>
#include <mortise/insight/wait_book.hpp>
#include <mortise/lock/holder.hpp>
#include <mortise/lock/takers.hpp>
#include <mortise/task/live_tasks.hpp>
#include <mortise/task/parked_stack.hpp>

namespace mortise::inline MORTISE_ABI::insight {
namespace {

std::string duration(nanos d) {
  char text[32];
  if (d < 1'000'000'000) {
    std::snprintf(text, sizeof text, "%lld ms", static_cast<long long>(d / 1'000'000));
  } else {
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(d) / 1e9);
  }
  return text;
}

// Those who wait for the same thing in the same place.
std::vector<std::vector<wait_record>> grouped(const std::vector<wait_record>& all) {
  const auto place = [](const wait_record& r) {
    return std::tuple{r.subject.what, r.kind,
                      std::vector(r.at.calls.begin(), r.at.calls.begin() + r.at.depth)};
  };
  std::map<decltype(place(all[0])), std::vector<wait_record>> by_place;
  for (const wait_record& r : all) by_place[place(r)].push_back(r);
  std::vector<std::vector<wait_record>> groups;
  for (auto& [where, group] : by_place) {
    std::sort(group.begin(), group.end(), [](const auto& a, const auto& b) { return a.since < b.since; });
    groups.push_back(std::move(group));
  }
  std::sort(groups.begin(), groups.end(),
            [](const auto& a, const auto& b) { return a[0].since < b[0].since; });
  return groups;
}

std::string text_of(const wait_record& r) {
  if (r.more.name[0] == '\0') return lock_text(r.subject.what);
  return std::string{"'"}.append(r.more.name).append("'");
}

std::string enumerated(const std::vector<std::string>& all) {
  constexpr std::size_t most_named = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(all.size(), most_named); ++i) text += (i == 0 ? "" : ", ") + all[i];
  return all.size() > most_named ? text + ", and " + std::to_string(all.size() - most_named) + " more" : text;
}

// ", held by fiber 12", as far as that is known.
std::string held_by(const void* lock) {
  std::vector<std::string> all;
  if (const auto holder = lock_detail::holder_of(lock))
    all.push_back(holder->text.empty() ? task_detail::text_of(*holder->who) : holder->text);
  for (const lock_detail::taker& t : lock_detail::takers_of(lock))
    all.push_back(task_detail::text_of(*t.who));
  return all.empty() ? "" : ", held by " + enumerated(all);
}

void write_group(std::string& to, const std::vector<wait_record>& group, nanos now) {
  const wait_record& first = group[0];
  std::vector<std::string> parties;
  for (const wait_record& r : group) parties.push_back(task_detail::text_of(*r.who, r.kind));
  to += enumerated(parties);
  to += group.size() == 1 ? " waits for " : " wait for ";
  to += std::string{first.subject.kind} + " " + text_of(first) + ", " +
        (group.size() == 1 ? "since " : "the first since ") + duration(now - first.since);
  if (first.more.process != 0) to += ", held by process " + std::to_string(first.more.process);
  to += held_by(first.subject.what) + "\n";
  for (const std::string& place : places_of(first.at)) to += "    " + place + "\n";
}

// Where a fiber stands that parked before anybody watched; of no depth: not known.
call_stack place_of(const task_detail::live_task& t) {
  call_stack at;
  if (t.kind == wait::party::fiber && std::strcmp(t.state, "parked") == 0) {
    task_detail::call_where_parked(
        *t.parker, [](void* to) { *static_cast<call_stack*>(to) = call_stack::here(); }, &at);
  }
  return at;
}

void write_tasks(std::string& to, const std::vector<wait_record>& waiting) {
  using task_detail::live_task;
  constexpr int most_looked_at = 256;  // a look may touch two pages of a stack that were not there before
  int looked_at = 0;
  static_cast<void>(call_stack::here());  // what is done the first time is not done on a fiber's stack
  std::map<std::pair<std::string, std::vector<std::uintptr_t>>,
           std::pair<call_stack, std::vector<std::string>>>
      by_state;
  std::vector<const void*> listed;
  for (const wait_record& r : waiting) listed.push_back(r.who);
  std::sort(listed.begin(), listed.end());
  for (const live_task& t : task_detail::live_tasks()) {
    if (std::binary_search(listed.begin(), listed.end(), t.parker)) continue;
    call_stack at;
    if (looked_at < most_looked_at) at = place_of(t);
    if (at.depth != 0) ++looked_at;
    auto& [where, who] = by_state[{t.state, {at.calls.begin(), at.calls.begin() + at.depth}}];
    where = at;
    who.push_back(t.text);
  }
  for (const auto& [key, group] : by_state) {
    const auto& [where, tasks] = group;
    to += std::to_string(tasks.size()) + (tasks.size() == 1 ? " task " : " tasks ") + key.first + ": " +
          enumerated(tasks) + "\n";
    for (const std::string& place : places_of(where)) to += "    " + place + "\n";
  }
}

// A handler may do next to nothing: it tells the thread that can.
sem_t asked;
struct sigaction before;

void on_quit(int signal, siginfo_t* info, void* machine) {
  const int error = errno;
  ::sem_post(&asked);
  if ((before.sa_flags & SA_SIGINFO) != 0) {
    before.sa_sigaction(signal, info, machine);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(signal);
  }
  errno = error;
}

void write_all(const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(STDERR_FILENO, text.data() + done, text.size() - done);
    if (n < 0 && errno != EINTR) return;
    if (n > 0) done += static_cast<std::size_t>(n);
  }
}

// For so long that who is not stuck begins to wait anew.
void begin_to_watch(stacks s, holders h) {
  watch_waits(s, h);
  sleep_this_thread_until(now_ns() + 100'000'000);
  write_all(
      "mortise: waits are watched since 100 ms; those that began before are not known, and their tasks are parked\n");
}

}  // namespace

void watch_waits(stacks s, holders h) noexcept { wait_book::of_process().open(s, h); }
void ignore_waits(stacks s, holders h) noexcept { wait_book::of_process().close(s, h); }

std::string dump() {
  const std::vector<wait_record> all = wait_book::of_process().all();
  const nanos now = now_ns();
  std::string text =
      "mortise: " + std::to_string(all.size()) + (all.size() == 1 ? " party waits\n" : " parties wait\n");
  for (const auto& group : grouped(all)) write_group(text, group, now);
  write_tasks(text, all);
  return text;
}

void dump_on_sigquit(stacks s, watching w, holders h) {
  static constinit process_once once;
  once([&] {
    ::sem_init(&asked, 0, 0);
    os_thread answers{[s, w, h] {
      bool watches = w == watching::at_once;
      for (;;) {
        if (::sem_wait(&asked) != 0) continue;
        if (!std::exchange(watches, true)) begin_to_watch(s, h);
        write_all(dump());
      }
    }};
    name_thread(answers, "mortise-dump");
    answers.detach();
    if (w == watching::at_once) watch_waits(s, h);
    struct sigaction ours{};
    ours.sa_sigaction = on_quit;
    ours.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    ::sigemptyset(&ours.sa_mask);
    struct sigaction now{};
    // Ours already where a fork fell amid this, which begins again: it must not be chained to itself.
    if (::sigaction(SIGQUIT, nullptr, &now) != 0 || now.sa_sigaction != on_quit)
      ::sigaction(SIGQUIT, &ours, &before);
  });
}

}  // namespace mortise::inline MORTISE_ABI::insight
