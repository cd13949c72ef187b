#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

#include <grpcpp/completion_queue.h>

#include <mortise/base/abi.hpp>
#include <mortise/base/os_thread.hpp>
#include <mortise/cluster/etcd/store.hpp>

namespace mortise::inline MORTISE_ABI::cluster::etcd {

// What a tag of the completion queue points to. Under the engine's lock.
class event {
 public:
  virtual void happened(bool ok) = 0;

 protected:
  ~event() = default;
};

// The threads of a store and its one lock.
//
// E1: everything that is a store's state is touched under the lock alone; nobody else's code runs under it.
// E2: gRPC is never called on a fiber's stack, which may be too small for it: what a fiber asks for is handed to the speaker. Who has a thread's
//     stack does it himself.
// E3: what was asked for first is done first, whoever asked.
// E4: completions run on the listener or the speaker.
class engine {
 public:
  engine();
  engine(const engine&) = delete;
  engine& operator=(const engine&) = delete;
  ~engine();  // requires: end()

  void run(std::function<void()> what);  // under the lock, now or soon

  // Under the lock:
  grpc::CompletionQueue& queue() noexcept { return m_queue; }
  void began() noexcept { ++m_live; }  // an operation whose event will come
  void later(std::function<void()> completion) { m_completions.push_back(std::move(completion)); }
  bool is_ending() const noexcept { return m_ending; }
  etcd_numbers counted;  // kept by whoever knows

  etcd_numbers look_at_numbers() {
    const std::lock_guard hold{m_state};
    return counted;
  }

  // `cancel`, under the lock, makes all events come soon. Returns when all completions have been called.
  void end(std::function<void()> cancel);

 private:
  void listen();
  void speak();
  void do_what_was_asked();
  void complete(std::unique_lock<std::mutex>& hold);
  void shut_if_ended();

  grpc::CompletionQueue m_queue;
  std::mutex m_state;
  std::uint64_t m_live = 0;
  bool m_ending = false, m_shut = false;
  std::vector<std::function<void()>> m_completions;

  std::mutex m_door;  // of what follows; taken after m_state
  std::condition_variable m_asked;
  std::vector<std::function<void()>> m_inbox;
  bool m_called = false, m_leaves = false;

  os_thread m_listener, m_speaker;
};

}  // namespace mortise::inline MORTISE_ABI::cluster::etcd
