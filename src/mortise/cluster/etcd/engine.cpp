#include <mortise/cluster/etcd/engine.hpp>

#include <thread>
#include <utility>

#include <mortise/base/fatal.hpp>
#include <mortise/wait/context.hpp>

namespace mortise::inline MORTISE_ABI::cluster::etcd {

engine::engine() {
  m_listener = os_thread{[this] { listen(); }};
  try {
    m_speaker = os_thread{[this] { speak(); }};
  } catch (...) {
    m_queue.Shutdown();
    m_listener.join();
    throw;
  }
  name_thread(m_listener, "mortise-etcd");
  name_thread(m_speaker, "mortise-etcd-2");
}

engine::~engine() = default;

void engine::run(std::function<void()> what) {
  if (wait::this_context().kind() == wait::party::fiber) {  // E2
    const std::lock_guard hold{m_door};
    m_inbox.push_back(std::move(what));
    m_asked.notify_one();
    return;
  }
  const std::lock_guard hold{m_state};
  do_what_was_asked();  // E3
  what();
  if (m_completions.empty()) return;
  const std::lock_guard calling{m_door};
  m_called = true;
  m_asked.notify_one();
}

void engine::do_what_was_asked() {
  std::vector<std::function<void()>> all;
  {
    const std::lock_guard hold{m_door};
    all.swap(m_inbox);
  }
  for (const auto& what : all) what();
}

void engine::complete(std::unique_lock<std::mutex>& hold) {
  while (!m_completions.empty()) {
    std::vector<std::function<void()>> all;
    all.swap(m_completions);
    hold.unlock();
    for (const auto& c : all) c();
    all.clear();  // what they hold on to is let go without the lock
    hold.lock();
  }
}

void engine::shut_if_ended() {
  if (!m_ending || m_live != 0 || std::exchange(m_shut, true)) return;
  m_queue.Shutdown();
}

void engine::listen() {
  void* tag = nullptr;
  bool ok = false;
  while (m_queue.Next(&tag, &ok)) {
    std::unique_lock hold{m_state};
    --m_live;
    static_cast<event*>(tag)->happened(ok);
    shut_if_ended();
    complete(hold);
  }
}

void engine::speak() {
  for (;;) {
    {
      std::unique_lock waiting{m_door};
      m_asked.wait(waiting, [&] { return m_called || m_leaves || !m_inbox.empty(); });
      m_called = false;
      if (m_leaves && m_inbox.empty()) break;
    }
    std::unique_lock hold{m_state};
    do_what_was_asked();
    complete(hold);
  }
  std::unique_lock hold{m_state};
  complete(hold);
}

void engine::end(std::function<void()> cancel) {
  const auto me = std::this_thread::get_id();
  if (me == m_listener.get_id() || me == m_speaker.get_id())
    fatal("an etcd_store is destroyed by a completion of its own, which it would wait for");
  {
    const std::lock_guard hold{m_state};
    do_what_was_asked();
    m_ending = true;
    cancel();
    shut_if_ended();
  }
  m_listener.join();
  {
    const std::lock_guard hold{m_door};
    m_leaves = true;
    m_asked.notify_one();
  }
  m_speaker.join();
}

}  // namespace mortise::inline MORTISE_ABI::cluster::etcd
