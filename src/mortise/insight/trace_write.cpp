// Events become slices and arrows. All threads' events are gone through in the order of their times, so that a wake is known when the one it
// woke goes on; a slice is written when it ends. Times of arrows lie within their slices: some viewers take those at the edge for outside.
//
// Source of the format: "Trace Event Format", Chromium project (N. Duca, D. Sinclair), docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU.
#include <mortise/insight/trace.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <ostream>
#include <system_error>
#include <tuple>
#include <unordered_map>

#include <mortise/insight/json_text.hpp>
#include <mortise/insight/trace_log.hpp>

namespace mortise::inline MORTISE_ABI::insight::trace {
namespace {

// What is shown as a second process, and the first of its tracks: the system's numbers of processes and threads are smaller. Perfetto finds a
// thread's name by its number alone.
constexpr int tasks_process = 1 << 23;

struct track {
  int process = 0, thread = 0;
  bool operator==(const track&) const = default;
};

struct wake {
  bool is_there = false;
  nanos at = 0;
  track from;
  bool in_a_slice = false;
};

struct wait_slice {
  event begin;
  track on;
  wake woken;
};

struct task {
  bool is_left = false;  // seen to be left, and parked
  wake woken;
  int thread = 0;  // of its track, once it has waited
};

struct worker_track {
  event entered;
  bool is_open = false;
  unsigned number = 0;
  bool is_worker = false;
  int waits = 0;  // open ones of this thread itself
};

std::string called(wait::party kind, std::uint64_t number, const std::string* name) {
  return name != nullptr ? *name : wait::to_string(kind) + (' ' + std::to_string(number));
}

class writer {
 public:
  writer(std::ostream& to, const recorded& r) : m_to{to}, m_recorded{r} {}

  summary write() {
    summary s{0, m_recorded.left_out, m_recorded.ended - m_recorded.began};
    std::vector<std::pair<const event*, int>> all;
    for (const thread_events& t : m_recorded.threads) {
      for (const event& e : t.events) all.emplace_back(&e, t.thread);
    }
    s.events = all.size();
    // What one thread did in the same nanosecond stays in its order.
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
      return std::tie(a.first->at, a.second, a.first) < std::tie(b.first->at, b.second, b.first);
    });
    m_to << "{\"displayTimeUnit\": \"ns\", \"otherData\": {\"events\": " << s.events
         << ", \"left_out\": " << s.left_out << "}, \"traceEvents\": [";
    for (const auto& [e, thread] : all) take(*e, thread);
    close();
    if (s.left_out != 0) {
      line("i", {m_process, m_process}, m_recorded.ended);
      m_to << ", \"s\": \"g\", \"name\": \"the trace is full: " << s.left_out
           << " events that came later are left out\"}";
    }
    names();
    m_to << "\n]}\n";
    return s;
  }

 private:
  void take(const event& e, int thread) {
    worker_track& here = m_threads[thread];
    switch (e.type) {
      case event_type::enters:
        end_run(here, thread, e.at, "leaves", nullptr);
        here.entered = e;
        here.is_open = here.is_worker = true;
        here.number = e.worker;
        if (task& t = m_tasks[e.who]; true) {
          if (t.is_left) arrow(t.woken, {m_process, thread}, e.at);
          t.woken = {};
          t.is_left = false;
        }
        return;
      case event_type::leaves:
        if (here.is_open && here.entered.who == e.who) end_run(here, thread, e.at, e.text, e.name);
        if (task& t = m_tasks[e.who]; true) {
          t.woken = {};
          t.is_left = e.text == std::string_view{"parks"};
        }
        if (e.name != nullptr) m_names[e.who] = e.name;
        return;
      case event_type::wakes: {
        const wake w{true, e.at, {m_process, thread}, here.is_open || here.waits != 0};
        if (const auto t = m_tasks.find(e.who); t != m_tasks.end()) {
          if (t->second.is_left && !t->second.woken.is_there) t->second.woken = w;
        } else if (const auto node = m_waiting.find(e.who); node != m_waiting.end()) {
          m_waits[node->second].woken = w;  // the last one is what ends it
        }
        return;
      }
      case event_type::waits: {
        end_wait(e.node, e.at);
        const bool is_task = e.kind != wait::party::thread;
        const track on = is_task ? track{tasks_process, track_of(e)} : track{m_process, thread};
        m_waits[e.node] = {e, on, {}};
        if (!is_task) {
          m_waiting[e.who] = e.node;
          ++here.waits;
        }
        return;
      }
      case event_type::waits_no_more: return end_wait(e.node, e.at);
    }
  }

  void close() {
    for (auto& [thread, t] : m_threads) end_run(t, thread, m_recorded.ended, "runs on", nullptr);
    while (!m_waits.empty()) end_wait(m_waits.begin()->first, m_recorded.ended);
  }

  void end_run(worker_track& t, int thread, nanos at, const char* how, const std::string* name) {
    if (!t.is_open) return;
    t.is_open = false;
    const event& e = t.entered;
    if (name == nullptr) {
      if (const auto known = m_names.find(e.who); known != m_names.end()) name = known->second;
    }
    slice({m_process, thread}, e.at, at, called(e.kind, e.number, name), to_string(e.kind));
    m_to << ", \"args\": {\"then\": \"" << how << "\"}}";
    if (how == std::string_view{"ends"}) m_names.erase(e.who);
  }

  void end_wait(const void* node, nanos at) {
    const auto found = m_waits.find(node);
    if (found == m_waits.end()) return;
    const wait_slice w = found->second;
    m_waits.erase(found);
    slice(w.on, w.begin.at, at, std::string{"waits: "} + w.begin.text, "wait");
    char lock[32];
    std::snprintf(lock, sizeof lock, "%p", w.begin.lock);
    m_to << ", \"args\": {\"kind\": " << json_text(w.begin.text) << ", \"lock\": \"" << lock << "\"}}";
    if (w.on.process == tasks_process) return;
    --m_threads[w.on.thread].waits;
    m_waiting.erase(w.begin.who);
    arrow(w.woken, w.on, std::max(w.begin.at, at - 2));
  }

  // From the wake to what goes on at `at`, in a slice that lasts for a nanosecond longer.
  void arrow(const wake& w, track to, nanos at) {
    if (!w.is_there || w.at > at) return;
    if (!w.in_a_slice) {
      slice(w.from, w.at, w.at + 1, "wakes", "wake");
      m_to << '}';
    }
    const auto id = ++m_arrows;
    line("s", w.from, w.at);
    m_to << ", \"id\": " << id << ", \"cat\": \"wake\", \"name\": \"wakes\"}";
    line("f", to, at + 1);
    m_to << ", \"id\": " << id << R"(, "cat": "wake", "name": "wakes", "bp": "e"})";
  }

  void slice(track on, nanos begin, nanos end, const std::string& name, const char* category) {
    line("X", on, begin);
    m_to << ", \"dur\": ";
    microseconds(end - begin);
    m_to << ", \"cat\": \"" << category << "\", \"name\": " << json_text(name);
  }

  // The beginning of an event.
  void line(const char* phase, track on, nanos at) {
    m_to << (m_first ? "\n" : ",\n") << R"({"ph": ")" << phase << "\", \"pid\": " << on.process
         << ", \"tid\": " << on.thread << ", \"ts\": ";
    m_first = false;
    microseconds(at - m_recorded.began);
  }
  void microseconds(nanos ns) {
    char text[32];
    std::snprintf(text, sizeof text, "%lld.%03d", static_cast<long long>(ns / 1000),
                  static_cast<int>(ns % 1000));
    m_to << text;
  }

  void name(const char* what, track of, const std::string& text) {
    line("M", of, m_recorded.began);
    m_to << ", \"name\": \"" << what << "\", \"args\": {\"name\": " << json_text(text) << "}}";
  }
  void names() {
    name("process_name", {m_process, m_process}, "threads");
    if (!m_tracks.empty()) name("process_name", {tasks_process, tasks_process + 1}, "tasks that wait");
    for (const thread_events& t : m_recorded.threads) {
      const worker_track& w = m_threads[t.thread];
      name("thread_name", {m_process, t.thread},
           w.is_worker ? "worker " + std::to_string(w.number) + " of " + t.name : t.name);
    }
    for (const auto& [text, thread] : m_tracks) name("thread_name", {tasks_process, thread}, text);
  }

  // The number of the track for the waits of a task, which is one for each name and number.
  int track_of(const event& e) {
    std::string text = wait::to_string(e.kind) + (' ' + std::to_string(e.number));
    if (const auto known = m_names.find(e.who); known != m_names.end()) text += " '" + *known->second + '\'';
    return m_tracks.try_emplace(text, tasks_process + static_cast<int>(m_tracks.size()) + 1).first->second;
  }

  std::ostream& m_to;
  const recorded& m_recorded;
  const int m_process = static_cast<int>(::getpid());
  bool m_first = true;
  std::uint64_t m_arrows = 0;
  std::unordered_map<int, worker_track> m_threads;
  std::unordered_map<const wait::parker*, task> m_tasks;
  std::unordered_map<const wait::parker*, const std::string*> m_names;
  std::unordered_map<const void*, wait_slice> m_waits;             // by the waiter
  std::unordered_map<const wait::parker*, const void*> m_waiting;  // threads
  std::unordered_map<std::string, int> m_tracks;
};

}  // namespace

summary write(std::ostream& to) {
  const recorded r = logged();
  return writer{to, r}.write();
}

summary write(const std::string& file) {
  errno = 0;
  std::ofstream to{file, std::ios::binary};
  const summary s = write(to);
  to.close();
  if (!to)
    throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(),
                            "the trace " + file + " cannot be written");
  return s;
}

}  // namespace mortise::inline MORTISE_ABI::insight::trace
