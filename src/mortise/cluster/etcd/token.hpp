#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <mortise/base/abi.hpp>

namespace mortise::inline MORTISE_ABI::cluster::etcd {

struct answer;

// What etcd gave us for our password, and who waits for that. Under the engine's lock.
class token {
 public:
  using waiting = std::function<void(const answer* trouble)>;  // null: there is one, or none is needed

  explicit token(bool is_wanted) noexcept : m_state{is_wanted ? state::none : state::not_needed} {}

  bool is_there() const noexcept { return m_state == state::there || m_state == state::not_needed; }
  bool is_asked_for() const noexcept { return m_state == state::asked_for; }
  const std::string& text() const noexcept { return m_text; }
  std::uint64_t generation() const noexcept { return m_generation; }

  void asked() noexcept { m_state = state::asked_for; }
  void wait(waiting w) { m_waiting.push_back(std::move(w)); }
  // What came of it; the result is to be called.
  [[nodiscard]] std::vector<waiting> came(std::string text) { return becomes(state::there, std::move(text)); }
  [[nodiscard]] std::vector<waiting> is_not_needed() { return becomes(state::not_needed, {}); }
  [[nodiscard]] std::vector<waiting> did_not_come() { return becomes(state::none, {}); }

  // The one of that generation is not good any more, or one is needed after all.
  void refused(std::uint64_t generation) noexcept {
    if (generation == m_generation && is_there()) m_state = state::none;
  }

 private:
  enum class state : unsigned char { not_needed, none, asked_for, there };
  std::vector<waiting> becomes(state s, std::string text) {
    m_state = s;
    m_text = std::move(text);
    ++m_generation;
    return std::exchange(m_waiting, {});
  }

  state m_state;
  std::string m_text;
  std::uint64_t m_generation = 0;
  std::vector<waiting> m_waiting;
};

}  // namespace mortise::inline MORTISE_ABI::cluster::etcd
