#pragma once

// mortise::shm::map<K, V, Capacity>: a map of a fixed capacity, all of it in its own bytes, so that it can be shared.
//
//     mortise::shm::guarded<mortise::shm::map<int, int, 16>> state{"state"};
//     state.update([](auto& m) { m[3] = 7; });
//     for (const auto [key, value] : map) ...               // in the order of insertion, until something is erased

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <mortise/base/abi.hpp>
#include <mortise/shm/hash_of_bytes.hpp>
#include <mortise/shm/shareable.hpp>

namespace mortise::inline MORTISE_ABI::shm {

// What std::map offers, as far as a fixed capacity goes.
//
// Promises
// - SG9 It is copied byte by byte, and holds up to Capacity elements; one more throws std::length_error, which names the
//   capacity, and changes nothing.
// - SG10 Whatever its bytes say, no access is outside of them and every call ends: a peer can spoil what is in it, and no more.
// Does not promise references and iterators beyond the next erase, which moves the last element into the gap; nor an order of keys.
// Size: Capacity times (K and V), and 1.25 to 2.5 times Capacity indices of 1, 2 or 4 bytes. Cost: a look-up touches an index
// and an element or two; a copy, which an update makes twice, all of it. Requires: K and V are shareable; K has ==.
template <class K, class V, std::size_t Capacity, class Hash = hash_of_bytes>
class map {
  static_assert(Capacity > 0 && Capacity < std::numeric_limits<std::uint32_t>::max());
  static_assert((check_shareable<K>(), check_shareable<V>(), true));
  static_assert(std::is_empty_v<Hash>, "shm::map: a hash with state would have to be shared too");
  static_assert(
      std::is_invocable_r_v<std::uint64_t, const Hash&, const K&>,
      "shm::map: equal keys of this type are not equal bytes (padding? floating point?), it needs a hash of its own");

  template <bool Const>
  class basic_iterator;

 public:
  using key_type = K;
  using mapped_type = V;
  using value_type = std::pair<const K, V>;
  using size_type = std::size_t;
  using iterator = basic_iterator<false>;
  using const_iterator = basic_iterator<true>;

  static constexpr std::size_t capacity() noexcept { return Capacity; }
  std::size_t size() const noexcept { return std::min<std::size_t>(m_size, Capacity); }  // keeps I1
  bool empty() const noexcept { return size() == 0; }
  bool full() const noexcept { return size() == Capacity; }

  iterator begin() noexcept { return {this, 0}; }
  iterator end() noexcept { return {this, size()}; }
  const_iterator begin() const noexcept { return {this, 0}; }
  const_iterator end() const noexcept { return {this, size()}; }

  iterator find(const K& key) noexcept { return {this, position(key)}; }
  const_iterator find(const K& key) const noexcept { return {this, position(key)}; }
  bool contains(const K& key) const noexcept { return position(key) != size(); }
  std::size_t count(const K& key) const noexcept { return contains(key) ? 1 : 0; }

  // Throws: std::out_of_range, if there is no such key.
  V& at(const K& key) { return m_values[existing(key)]; }
  const V& at(const K& key) const { return m_values[existing(key)]; }

  // What is new is V{}, or made of `value`. Throws: std::length_error, if it is full.
  V& operator[](const K& key) { return try_emplace(key).first->second; }
  template <class... Args>
  std::pair<iterator, bool> try_emplace(const K& key, Args&&... args) {
    const place p = look_up(key);
    if (p.element != size()) return {iterator{this, p.element}, false};
    return {iterator{this, insert(p, key, V(std::forward<Args>(args)...))}, true};
  }
  std::pair<iterator, bool> insert_or_assign(const K& key, const V& value) {
    const place p = look_up(key);
    if (p.element == size()) return {iterator{this, insert(p, key, value)}, true};
    m_values[p.element] = value;
    return {iterator{this, p.element}, false};
  }

  // How many were erased: 1 or 0. The last element takes its place.
  std::size_t erase(const K& key) noexcept {
    const place p = look_up(key);
    if (p.element == size()) return 0;
    close(p.slot);
    const std::size_t last = size() - 1;
    if (p.element != last) {
      if (const std::size_t s = slot_of(last); s != none) m_index[s] = static_cast<index>(p.element + 1);
      m_keys[p.element] = m_keys[last];
      m_values[p.element] = m_values[last];
    }
    m_keys[last] = K{};
    m_values[last] = V{};
    m_size = static_cast<index>(last);
    return 1;
  }
  void clear() noexcept {
    m_size = 0;
    m_index.fill(0);
    m_keys.fill(K{});
    m_values.fill(V{});
  }

  // The same elements, in whatever order.
  friend bool operator==(const map& a, const map& b) noexcept
    requires requires(const V& v) { v == v; }
  {
    return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&b](const auto& e) {
             const auto other = b.find(e.first);
             return other != b.end() && other->second == e.second;
           });
  }

 private:
  // Elements lie densely in m_keys and m_values; m_index is a table with linear probing, whose slots are 0 or 1 + the number of an
  // element. I1: m_size is used as size() only, which is in range. I2: a slot is used as element_in() only, whose answer is below size(), or
  // none. I3: loops over slots end after one round.
  using index = std::conditional_t<(Capacity < 0xff), std::uint8_t,
                                   std::conditional_t<(Capacity < 0xffff), std::uint16_t, std::uint32_t>>;
  static constexpr std::size_t slots = std::bit_ceil(Capacity + Capacity / 4 + 1);
  static constexpr std::size_t none = ~std::size_t{0};

  struct place {
    std::size_t element;  // size(): there is none
    std::size_t slot;     // its, or a free one; none: there is no free one
  };

  static std::size_t home_of(const K& key) noexcept { return static_cast<std::size_t>(Hash{}(key)) % slots; }
  static std::size_t after(std::size_t slot) noexcept { return (slot + 1) % slots; }
  std::size_t element_in(std::size_t slot) const noexcept {
    const std::size_t e = std::size_t{m_index[slot]} - 1;
    return e < size() ? e : none;  // keeps I2
  }

  place look_up(const K& key) const noexcept {
    std::size_t s = home_of(key);
    for (std::size_t round = 0; round < slots; ++round, s = after(s)) {  // keeps I3
      const std::size_t e = element_in(s);
      if (e == none) return {size(), s};
      if (m_keys[e] == key) return {e, s};
    }
    return {size(), none};
  }
  std::size_t position(const K& key) const noexcept { return look_up(key).element; }
  std::size_t existing(const K& key) const {
    const std::size_t e = position(key);
    if (e == size()) throw std::out_of_range{"shm::map has no such key"};
    return e;
  }

  std::size_t slot_of(std::size_t element) const noexcept {
    std::size_t s = home_of(m_keys[element]);
    for (std::size_t round = 0; round < slots; ++round, s = after(s)) {  // keeps I3
      if (element_in(s) == element) return s;
    }
    return none;
  }

  std::size_t insert(const place& p, const K& key, const V& value) {
    const std::size_t e = size();
    if (e == Capacity || p.slot == none)
      throw std::length_error{"shm::map is full: its capacity is " + std::to_string(Capacity)};
    m_keys[e] = key;
    m_values[e] = value;
    m_index[p.slot] = static_cast<index>(e + 1);
    m_size = static_cast<index>(e + 1);
    return e;
  }

  // Frees a slot, and moves those behind it that would not be found across the gap. Source: D. Knuth, TAOCP 3, 6.4, algorithm R.
  void close(std::size_t gap) noexcept {
    std::size_t s = after(gap);
    for (std::size_t round = 1; round < slots; ++round, s = after(s)) {  // keeps I3
      const std::size_t e = element_in(s);
      if (e == none) break;
      const std::size_t home = home_of(m_keys[e]);
      if ((s - home) % slots < (s - gap) % slots) continue;  // it is found without the gap
      m_index[gap] = m_index[s];
      gap = s;
    }
    m_index[gap] = 0;
  }

  index m_size = 0;
  std::array<index, slots> m_index{};
  std::array<K, Capacity> m_keys{};
  std::array<V, Capacity> m_values{};
};

// Goes over the elements, as pairs of references.
template <class K, class V, std::size_t Capacity, class Hash>
template <bool Const>
class map<K, V, Capacity, Hash>::basic_iterator {
  using owner = std::conditional_t<Const, const map, map>;
  using mapped = std::conditional_t<Const, const V, V>;

 public:
  using reference = std::pair<const K&, mapped&>;
  using value_type = reference;
  using difference_type = std::ptrdiff_t;
  using iterator_category = std::input_iterator_tag;  // by C++17's rules: a reference is no reference
  using iterator_concept = std::forward_iterator_tag;
  class pointer {
   public:
    explicit pointer(reference to) noexcept : m_to{to} {}
    const reference* operator->() const noexcept { return std::addressof(m_to); }

   private:
    reference m_to;
  };

  basic_iterator() noexcept = default;
  template <bool Other>
    requires(Const && !Other)
  basic_iterator(const basic_iterator<Other>& o) noexcept : m_map{o.m_map}, m_element{o.m_element} {}

  // Requires: there is an element. If a peer has spoiled the map meanwhile, some element of it.
  reference operator*() const noexcept {
    const std::size_t e = std::min(m_element, Capacity - 1);
    return {m_map->m_keys[e], m_map->m_values[e]};
  }
  pointer operator->() const noexcept { return pointer{**this}; }
  basic_iterator& operator++() noexcept {
    ++m_element;
    return *this;
  }
  basic_iterator operator++(int) noexcept {
    basic_iterator before = *this;
    ++m_element;
    return before;
  }
  friend bool operator==(const basic_iterator& a, const basic_iterator& b) noexcept {
    return a.m_element == b.m_element;
  }

 private:
  friend map;
  template <bool>
  friend class basic_iterator;
  basic_iterator(owner* of, std::size_t element) noexcept : m_map{of}, m_element{element} {}
  owner* m_map = nullptr;
  std::size_t m_element = 0;
};

}  // namespace mortise::inline MORTISE_ABI::shm
