// The tests of this folder find fault with locks that have it: what finds none has no teeth.
#include "controls.hpp"

#include <gtest/gtest.h>

#include "ghosts.hpp"
#include "hammer.hpp"
#include "refusal.hpp"
#include "updates.hpp"

namespace crash {
namespace {

using namespace std::chrono_literals;

template <template <class> class Control, std::size_t Bytes>
verdict stepped_through() {
  updates<Control<sealed<Bytes>>, Bytes> scene{1s};
  const stepping_plan everything;
  const auto r = scene.step(everything);
  say(r.found.how.c_str(), r, everything);
  return r.found;
}

// The bug: a value that is changed in place is left half-written, and EOWNERDEAD does not restore it.
TEST(controls, stepping_finds_a_robust_mutex_torn) {
  if (const char* why = no_stepping()) GTEST_SKIP() << why;
  EXPECT_EQ((stepped_through<robust_control, 64>().what), finding::torn);
  EXPECT_EQ((stepped_through<robust_control, 4096>().what), finding::torn);
}

TEST(controls, stepping_finds_a_mutex_that_is_not_robust_stuck) {
  if (const char* why = no_stepping()) GTEST_SKIP() << why;
#if MORTISE_CRASH_HAS_BOOST
  EXPECT_EQ((stepped_through<boost_control, 64>().what), finding::stuck);
#else
  GTEST_SKIP() << "Boost.Interprocess is not here";
#endif
}

template <template <class> class Control>
verdict hammered() {
  using scene = hammering<8, 1>;
  using subject = Control<scene::value>;
  scene h;
  subject s{scene::initial()};
  hammering_plan plan;
  plan.kills = 2'000;
  plan.patience = 1s;
  const auto live = [&](unsigned i) {
    while (!h.over()) h.change(s, i);
  };
  const auto r = h.run(s, live, plan);
  say(r.found.how.c_str(), r, plan);
  return r.found;
}

TEST(controls, hammering_finds_a_robust_mutex_torn) {
  EXPECT_EQ(hammered<robust_control>().what, finding::torn);
}

TEST(controls, hammering_finds_a_mutex_that_is_not_robust_stuck) {
#if MORTISE_CRASH_HAS_BOOST
  EXPECT_EQ(hammered<boost_control>().what, finding::stuck);
#else
  GTEST_SKIP() << "Boost.Interprocess is not here";
#endif
}

// The bug: the thread that has the robust mutex is gone, and the one that works under it is not yet.
TEST(controls, ghosts_are_found_behind_a_keeper_of_a_robust_mutex) {
  kept_control<sealed<64>> s{sealed_with<64>(1)};
  long_store store;
  const auto live = [&] { s.update([&](auto&, tenure_facts) { store.store(); }); };
  const auto found = look_for_ghosts(s, store, live, 100);
  std::printf("%s\n", found.how.c_str());
  EXPECT_EQ(found.what, finding::haunted);
}

}  // namespace
}  // namespace crash
