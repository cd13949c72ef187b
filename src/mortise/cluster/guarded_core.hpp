#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mortise/base/abi.hpp>
#include <mortise/cluster/errors.hpp>
#include <mortise/cluster/record.hpp>
#include <mortise/cluster/value_front.hpp>

namespace mortise::inline MORTISE_ABI::cluster::detail {

// A value_front with its working copy.
template <class T, class Codec>
class guarded_core final : public value_front {
 public:
  guarded_core(std::shared_ptr<session_core> s, lock_names names, handover_bounds b, T initially)
      : value_front{std::move(s), std::move(names), b}, m_initially{std::move(initially)} {}

  // Requires: inside. The working copy, made anew from what is committed if it has to be. Throws: what the codec throws.
  const T& working() {
    if (!m_working || m_working_version != version()) {
      m_working.reset();
      m_working.emplace(value_exists() ? T(Codec::decode(bytes())) : m_initially);
      m_working_version = version();
    }
    return *m_working;
  }
  // Requires: inside.
  void put(T&& changed) noexcept { *m_working = std::move(changed); }

  // Of a read's answer. Throws: refused_error, what the codec throws.
  T decode(const std::vector<key_value>& value) const {
    if (value.empty()) return m_initially;
    const std::optional<record> r = record::parse(value[0].value);
    if (!r)
      throw refused_error{"cluster value '" + names().name() + "': '" + value[0].key +
                          "' was not written by mortise"};
    return Codec::decode(r->bytes);
  }

  std::shared_ptr<session_core> shared_session() const { return m_session; }

 private:
  std::string encode() const override { return Codec::encode(*m_working); }

  const T m_initially;
  std::optional<T> m_working;
  std::uint64_t m_working_version = 0;
};

}  // namespace mortise::inline MORTISE_ABI::cluster::detail
