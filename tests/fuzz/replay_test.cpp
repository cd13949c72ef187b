// The fuzzers' corpus, as ordinary tests: what was found once stays found.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <support/emulated.hpp>

#include "properties.hpp"

namespace {

template <class Property>
void replay(const char* folder, Property property) {
  unsigned files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(MORTISE_CORPUS "/") + folder)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    EXPECT_NO_THROW(property(text)) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 10u);
}

TEST(corpus, durations_keep_their_properties) { replay("duration", fuzz::duration_properties); }

TEST(corpus, flags_keep_their_properties) { replay("flags", fuzz::flags_properties); }

TEST(corpus, regions_keep_their_properties) {
  if (mortise::test::emulated()) GTEST_SKIP() << "the emulator knows no robust mutexes";
  replay("region", fuzz::region_properties);
}

#if MORTISE_HAS_ETCD
TEST(corpus, replies_keep_their_properties) { replay("replies", fuzz::replies_properties); }
#endif

}  // namespace
