#include <gtest/gtest.h>

#include <app/page/page.hpp>
#include <app/run/options.hpp>
#include <stdexcept>

namespace {

// The bug: a text in the data ends the script element, and the page is broken or runs what it holds.
TEST(page, data_cannot_end_their_element) {
  const std::string page =
      app::filled("<script>/*DATA*/</script>", R"json({"failed":"</script><script>alert(1)"})json");
  EXPECT_EQ(page, R"json(<script>{"failed":"\u003c/script>\u003cscript>alert(1)"}</script>)json");
}

TEST(page, a_template_without_a_place_for_data_is_refused) {
  EXPECT_THROW(app::filled("<script></script>", "{}"), std::runtime_error);
}

// The bug: a run of ten minutes, and then a name that cannot be written.
TEST(page, a_name_that_cannot_be_written_is_refused_at_once) {
  EXPECT_THROW(app::page("no/such/folder/report.html"), app::usage_error);
  EXPECT_FALSE(app::page("").wanted());
}

}  // namespace
