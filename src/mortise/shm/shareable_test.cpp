// Which types may lie in shared memory, and what they are called there. What is refused, with its message: tests/compile_fail.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <mortise/base/outcome.hpp>
#include <mortise/shm/shareable.hpp>
#include <mortise/shm/type_name.hpp>

namespace {

using mortise::shm::shareable;

enum class colour : unsigned char { red };
struct empty {};
struct plain {
  int a;
  double b;
  char name[20];
};
struct nested {
  plain p;
  empty e;
  std::array<short, 7> s;
};
struct timed {
  std::chrono::nanoseconds d;
  std::chrono::steady_clock::time_point t;
  std::optional<int> o;
};
struct bits {
  unsigned a : 3;
  unsigned b : 5;
};
struct with_defaults {
  int a = 3;
  colour c = colour::red;
};
struct derived : plain {};
union either {
  int a;
  float b;
};
class hides {
  int m_a = 0;

 public:
  int get() const { return m_a; }
};

TEST(shareable, plain_data_is) {
  EXPECT_TRUE(shareable<int>);
  EXPECT_TRUE(shareable<colour>);
  EXPECT_TRUE(shareable<empty>);
  EXPECT_TRUE(shareable<plain>);
  EXPECT_TRUE(shareable<nested>);
  EXPECT_TRUE(shareable<timed>);
  EXPECT_TRUE(shareable<bits>);
  EXPECT_TRUE(shareable<with_defaults>);
  EXPECT_TRUE(shareable<derived>);
  EXPECT_TRUE(shareable<either>);
  EXPECT_TRUE(shareable<hides>);
  EXPECT_TRUE((shareable<std::array<int, 100'000>>));
}

struct pointer {
  int a;
  int* p;
};
struct pointer_behind_an_array {
  char name[32];
  void* p[2];
};
struct pointer_in_a_part {
  plain p;
  pointer q;
};
struct pointer_behind_classes {
  timed t;
  hides h;
  empty e;
  const char* s;
};
struct pointer_in_a_base : pointer {};
struct view {
  int a;
  std::string_view s;
};
struct span {
  std::span<int> s;
};
struct wrapper {
  std::optional<int> o;
  std::reference_wrapper<int> r;
};
struct function {
  void (*f)();
};
struct to_member {
  int plain::* m;
};
struct reference {
  int& r;
};
struct has_virtual {
  virtual void f() {}
  int a;
};
struct text {
  std::string s;
};
struct without_default {
  explicit without_default(int x) : a{x} {}
  int a;
};

struct moves_only {
  moves_only() = default;
  moves_only(moves_only&&) = default;
  int a = 0;
};

// The bug: an address of one process is used in another.
TEST(shareable, addresses_are_not) {
  EXPECT_FALSE(shareable<int*>);
  EXPECT_FALSE(shareable<std::string_view>);
  EXPECT_FALSE(shareable<pointer>);
  EXPECT_FALSE(shareable<pointer_behind_an_array>);
  EXPECT_FALSE(shareable<pointer_in_a_part>);
  EXPECT_FALSE(shareable<pointer_behind_classes>);
  EXPECT_FALSE(shareable<pointer_in_a_base>);
  EXPECT_FALSE((shareable<std::array<int*, 2>>));
  EXPECT_FALSE(shareable<view>);
  EXPECT_FALSE(shareable<span>);
  EXPECT_FALSE(shareable<wrapper>);
  EXPECT_FALSE(shareable<function>);
  EXPECT_FALSE(shareable<to_member>);
  EXPECT_FALSE(shareable<reference>);
  EXPECT_FALSE(shareable<has_virtual>);
}

TEST(shareable, what_owns_or_cannot_be_made_is_not) {
  EXPECT_FALSE(shareable<std::string>);
  EXPECT_FALSE(shareable<text>);
  EXPECT_FALSE(shareable<without_default>);
  EXPECT_FALSE(shareable<moves_only>);
  EXPECT_FALSE(shareable<int[3]>);
  EXPECT_FALSE(shareable<const int>);
  EXPECT_FALSE(shareable<int&>);
  EXPECT_FALSE(shareable<void>);
}

struct renamed {};

}  // namespace

namespace named {
struct counters {};
template <class T>
struct of {};
}  // namespace named

template <>
inline constexpr std::string_view mortise::shm::type_name<renamed> = "renamed/2";

namespace {

using mortise::shm::type_hash;
using mortise::shm::type_name;

TEST(type_name, is_the_types_alone) {
  EXPECT_EQ(type_name<int>, "int");
  EXPECT_EQ(type_name<double>, "double");
  EXPECT_EQ(type_name<named::counters>, "named::counters");
  EXPECT_EQ(type_name<named::of<named::counters>>, "named::of<named::counters>");
  EXPECT_EQ(type_name<renamed>, "renamed/2");
}

// The bug: a checked program is kept out of a region that an unchecked one made.
TEST(type_name, says_nothing_of_how_the_library_was_compiled) {
  EXPECT_EQ(type_name<mortise::outcome>, "mortise::outcome");
  EXPECT_EQ(type_name<named::of<mortise::outcome>>, "named::of<mortise::outcome>");
}

TEST(type_name, hash_is_fnv_1a) {
  EXPECT_EQ(mortise::shm::fnv1a(""), 0xcbf29ce484222325u);
  EXPECT_EQ(mortise::shm::fnv1a("foobar"), 0x85944171f73967e8u);
  EXPECT_NE(type_hash<int>, type_hash<unsigned>);
  EXPECT_EQ(type_hash<renamed>, mortise::shm::fnv1a("renamed/2"));
}

}  // namespace
