// A map in its own bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <iterator>
#include <map>
#include <memory>
#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <mortise/shm/map.hpp>

namespace {

using mortise::shm::map;
using small = map<int, int, 16>;

static_assert(mortise::shm::shareable<small>);
static_assert(std::forward_iterator<small::iterator> && std::forward_iterator<small::const_iterator>);
static_assert(std::is_convertible_v<small::iterator, small::const_iterator>);

TEST(shm_map, holds_what_it_was_given) {
  small m;
  EXPECT_TRUE(m.empty());
  m[3] = 7;
  EXPECT_EQ(m.at(3), 7);
  EXPECT_EQ(m[3], 7);
  EXPECT_EQ(m[4], 0);
  EXPECT_EQ(m.size(), 2u);
  EXPECT_TRUE(m.contains(4));
  EXPECT_FALSE(m.contains(5));
  EXPECT_EQ(m.find(3)->second, 7);
  EXPECT_EQ(m.find(5), m.end());
  EXPECT_THROW(m.at(5), std::out_of_range);
  m.find(3)->second = 8;
  EXPECT_EQ(std::as_const(m).at(3), 8);

  EXPECT_FALSE(m.try_emplace(3, 9).second);
  EXPECT_EQ(m.at(3), 8);
  EXPECT_FALSE(m.insert_or_assign(3, 9).second);
  EXPECT_EQ(m.at(3), 9);
  EXPECT_TRUE(m.insert_or_assign(5, 1).second);
  EXPECT_EQ(m.try_emplace(6, 2).first->second, 2);

  EXPECT_EQ(m.erase(3), 1u);
  EXPECT_EQ(m.erase(3), 0u);
  EXPECT_EQ(m.size(), 3u);
  m.clear();
  EXPECT_TRUE(m.empty());
  EXPECT_EQ(m, small{});
}

TEST(shm_map, is_gone_over_in_the_order_of_insertion) {
  small m;
  for (const int key : {5, 1, 9}) m[key] = 10 * key;
  std::string seen;
  for (const auto [key, value] : std::as_const(m))
    seen += std::to_string(key) + ':' + std::to_string(value) + ' ';
  EXPECT_EQ(seen, "5:50 1:10 9:90 ");
  for (auto [key, value] : m) value += key;
  EXPECT_EQ(m.at(9), 99);
  m.erase(5);  // the last one takes its place
  EXPECT_EQ(m.begin()->first, 9);
  small other;
  other[1] = 11;
  other[9] = 99;
  EXPECT_EQ(m, other);
  other[9] = 98;
  EXPECT_FALSE(m == other);
}

// The bug: one too many is lost, or writes over what is beside the map.
TEST(shm_map, full_one_names_its_capacity_and_stays_as_it_was) {
  small m;
  for (int i = 0; i < 16; ++i) m[i] = i;
  EXPECT_TRUE(m.full());
  const small before = m;
  for (const auto one_more :
       {+[](small& full) { full[16] = 1; }, +[](small& full) { full.try_emplace(16, 1); },
        +[](small& full) { full.insert_or_assign(16, 1); }}) {
    try {
      one_more(m);
      FAIL() << "there is no room";
    } catch (const std::length_error& e) {
      EXPECT_STREQ(e.what(), "shm::map is full: its capacity is 16");
    }
  }
  EXPECT_EQ(m, before);
  m[15] = 99;  // what is in it may be changed
  m.erase(3);
  m[16] = 1;
  EXPECT_EQ(m.at(16), 1);
}

// All keys in one slot: every look-up goes over all that are there.
struct all_alike {
  std::uint64_t operator()(int) const { return 7; }
};

// Does the same to a std::map, and compares.
template <class Map>
void does_as_std_map(unsigned seed, int keys, int steps) {
  std::minstd_rand random{seed};
  Map m;
  std::map<int, int> model;
  for (int i = 0; i < steps; ++i) {
    const int key = static_cast<int>(random() % static_cast<unsigned>(keys)),
              value = static_cast<int>(random());
    switch (random() % 4) {
      case 0:
      case 1:
        if (model.size() < Map::capacity() || model.contains(key)) {
          m.insert_or_assign(key, value);
          model.insert_or_assign(key, value);
        }
        break;
      case 2: ASSERT_EQ(m.erase(key), model.erase(key)); break;
      case 3: ASSERT_EQ(m.contains(key), model.contains(key)); break;
    }
    ASSERT_EQ(m.size(), model.size());
    for (const auto& [k, v] : model) ASSERT_EQ(m.at(k), v) << "after step " << i << " of seed " << seed;
  }
}

// The bug: an erase makes others unfindable.
TEST(shm_map, random_steps_are_as_those_of_std_map) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    does_as_std_map<map<int, int, 1>>(seed, 3, 200);
    does_as_std_map<map<int, int, 16>>(seed, 20, 500);
    does_as_std_map<map<int, int, 100>>(seed, 120, 500);
    does_as_std_map<map<int, int, 16, all_alike>>(seed, 20, 500);
  }
  does_as_std_map<map<int, int, 300>>(1, 400, 3000);  // indices of two bytes
}

TEST(shm_map, keys_of_many_bytes) {
  using key = std::array<char, 20>;
  const auto key_of = [](int i) {
    key k{};
    std::snprintf(k.data(), k.size(), "the key %d", i);
    return k;
  };
  map<key, double, 50> m;
  for (int i = 0; i < 50; ++i) m[key_of(i)] = i / 2.0;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(m.at(key_of(i)), i / 2.0);
  EXPECT_FALSE(m.contains(key_of(50)));
}

// The bug: what a peer wrote into it leads a look-up out of the map, or round and round.
TEST(shm_map, spoiled_one_ends_every_call_and_stays_within_its_bytes) {
  const auto spoil = []<class Map>(Map*, std::mt19937& random) {
    // On the heap, with nothing beside it: AddressSanitizer sees what goes out.
    const auto bytes = std::make_unique<unsigned char[]>(sizeof(Map));
    std::generate_n(bytes.get(), sizeof(Map), [&] { return static_cast<unsigned char>(random()); });
    auto& m = *std::launder(reinterpret_cast<Map*>(bytes.get()));
    std::size_t there = 0;
    for (const auto [key, value] : m) there += m.contains(key);
    EXPECT_LE(there, Map::capacity());
    EXPECT_LE(m.size(), Map::capacity());
    for (int key = 0; key < 30; ++key) {
      m.erase(key);
      try {
        m[key] = key;
        EXPECT_TRUE(m.contains(key));
      } catch (const std::length_error&) {}
      if (!m.empty()) m.erase(m.begin()->first);
    }
  };
  std::mt19937 random{1};
  for (int i = 0; i < 300; ++i) {
    spoil(static_cast<map<int, int, 5>*>(nullptr), random);
    spoil(static_cast<map<int, int, 16>*>(nullptr), random);
    spoil(static_cast<map<int, int, 300>*>(nullptr), random);
    spoil(static_cast<map<int, int, 16, all_alike>*>(nullptr), random);
  }
}

}  // namespace
