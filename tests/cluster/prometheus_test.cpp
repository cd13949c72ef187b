// The text format against its grammar (prometheus.io/docs/instrumenting/exposition_formats, "Text-based format", version 0.0.4).
#include <mortise/cluster/prometheus.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <thread>

#include <mortise/cluster/mutex.hpp>
#include <support/runtime_place.hpp>

#include "memory_store.hpp"

namespace {

using mortise::cluster::lease_numbers;
using mortise::cluster::numbers;
using mortise::cluster::prometheus_page;
using mortise::cluster::session_numbers;
using testing::HasSubstr;

// What a scraper reads: each sample by its name and labels.
struct page {
  std::map<std::string, double> samples;  // name{labels}
  std::map<std::string, std::string> types;
  std::vector<std::string> faults;
};

page read(const std::string& text) {
  page p;
  if (!text.empty() && text.back() != '\n') p.faults.push_back("the last line has no end");
  static const std::regex help{R"(# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (([^\\]|\\\\|\\n)*))"};
  static const std::regex type{R"(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram))"};
  static const std::regex sample{
      R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\\\|\\"|\\n)*"(,(?!\})|(?=\})))+\})? ([-+0-9.eE]+|\+Inf))"};
  std::set<std::string> over;
  std::string metric;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    std::smatch m;
    if (std::regex_match(line, m, help)) {
      if (!over.insert(m[1]).second) p.faults.push_back("a second group: " + line);
      metric = m[1];
    } else if (std::regex_match(line, m, type)) {
      if (m[1] != metric || !p.types.emplace(m[1], m[2]).second) p.faults.push_back("its type: " + line);
    } else if (std::regex_match(line, m, sample)) {
      std::string base = m[1];
      if (p.types[metric] == "histogram") {
        for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
          if (base.ends_with(suffix)) base.resize(base.size() - suffix.size());
        }
      }
      if (base != metric) p.faults.push_back("outside its group: " + line);
      if (p.types[metric] == "counter" && !base.ends_with("_total"))
        p.faults.push_back("no counter: " + line);
      if (!p.samples.emplace(m[1].str() + m[2].str(), std::stod(m[6])).second)
        p.faults.push_back("a second time: " + line);
    } else {
      p.faults.push_back("no line of the format: " + line);
    }
  }
  return p;
}

session_numbers some() {
  session_numbers n;
  numbers& jobs = n.locks["jobs/nightly"];
  jobs.acquisitions = 5;
  jobs.local_handovers = 3;
  jobs.unknown = 2;
  jobs.resolved_applied = 2;
  jobs.wait.record(1024);           // 2^10
  jobs.wait.record(1025);           // the next one
  jobs.wait.record(3'000'000'000);  // in between
  n.locks["other"];
  n.lease = {.leases = 1, .renewals = 7, .age = 1'500'000'000, .good_for = 8'000'000'000};
  return n;
}

// The bug: a scraper refuses the page, because of one line.
TEST(prometheus, the_page_meets_the_grammar) {
  prometheus_page all;
  all.add(some(), {{"process", "0"}});
  all.add(some(), {{"process", "1"}});
  const page p = read(all.text());
  EXPECT_THAT(p.faults, testing::IsEmpty());
  EXPECT_EQ(p.samples.at(R"(mortise_cluster_acquisitions_total{process="1",lock="jobs/nightly"})"), 5);
  EXPECT_EQ(p.samples.at(R"(mortise_cluster_handovers_total{process="0",lock="jobs/nightly",kind="local"})"),
            3);
  EXPECT_EQ(
      p.samples.at(
          R"(mortise_cluster_unknown_commits_resolved_total{process="0",lock="jobs/nightly",as="applied"})"),
      2);
  EXPECT_EQ(p.samples.at(R"(mortise_cluster_lease_renewals_total{process="0"})"), 7);
  EXPECT_EQ(p.samples.at(R"(mortise_cluster_lease_age_seconds{process="0"})"), 1.5);
  EXPECT_EQ(p.types.at("mortise_cluster_wait_seconds"), "histogram");
  EXPECT_THAT(read("").faults, testing::IsEmpty());
  EXPECT_EQ(prometheus_page{}.text(), "");
}

// The bug: buckets that are not cumulative, or an end that is not the count.
TEST(prometheus, histograms_are_cumulative_and_end_with_the_count) {
  prometheus_page all;
  all.add(some());
  const page p = read(all.text());
  double last = 0, inf = -1;
  unsigned buckets = 0;
  const std::string head = R"(mortise_cluster_wait_seconds_bucket{lock="jobs/nightly",le=")";
  std::map<double, double> of;
  for (const auto& [name, value] : p.samples) {
    if (!name.starts_with(head)) continue;
    const std::string le = name.substr(head.size());
    if (le.starts_with("+Inf"))
      inf = value;
    else
      of[std::stod(le)] = value;
    ++buckets;
  }
  for (const auto& [le, value] : of) {
    EXPECT_GE(value, last);
    last = value;
  }
  EXPECT_EQ(buckets, 29u);
  EXPECT_EQ(of.at(0.000001024), 1) << "a bound belongs to its bucket";
  EXPECT_EQ(of.at(0.000002048), 2);
  EXPECT_EQ(of.rbegin()->second, 3);
  EXPECT_EQ(inf, 3);
  EXPECT_EQ(p.samples.at(R"(mortise_cluster_wait_seconds_count{lock="jobs/nightly"})"), 3);
  EXPECT_DOUBLE_EQ(p.samples.at(R"(mortise_cluster_wait_seconds_sum{lock="jobs/nightly"})"), 3.000002049);
}

// The bug: the name of a lock ends the label, or the line.
TEST(prometheus, labels_are_escaped) {
  session_numbers n;
  n.locks["a\\b\"c"].acquisitions = 1;
  prometheus_page all;
  all.add(n, {{"where", "two\nlines"}});
  const page p = read(all.text());
  EXPECT_THAT(p.faults, testing::IsEmpty());
  EXPECT_EQ(p.samples.at(R"(mortise_cluster_acquisitions_total{where="two\nlines",lock="a\\b\"c"})"), 1);
}

// The bug: the check above would accept anything.
TEST(prometheus, the_grammar_finds_faults) {
  for (const char* text :
       {"x 1", "x{a=\"b\"c\"} 1\n", "# HELP x y\n# TYPE x counter\nx_total 1\n", "# HELP x y\n# HELP x y\n",
        "# HELP x y\n# TYPE x gauge\nx 1\nx 1\n", "# HELP x y\n# TYPE x gauge\nx{} 1\n", "\n",
        "# HELP x y\n# TYPE x gauge\nx{a=\"b\",} one\n"})
    EXPECT_FALSE(read(text).faults.empty()) << text;
}

std::string contents(const std::string& file) {
  std::ifstream in{file};
  return {std::istreambuf_iterator<char>{in}, {}};
}

// The bug: who reads while it is written sees half of a page.
TEST(prometheus, the_file_is_replaced_as_a_whole) {
  const mortise::test::runtime_place here;
  const std::string file = here.path("mortise.prom");
  prometheus_page all;
  for (int i = 0; i < 20; ++i) all.add(some(), {{"process", std::to_string(i)}});
  all.write(file);
  EXPECT_EQ(contents(file), all.text());
  std::atomic<bool> stop{false};
  std::jthread writer{[&] {
    while (!stop) all.write(file);
  }};
  for (int i = 0; i < 200; ++i) EXPECT_EQ(contents(file).size(), all.text().size());
  stop = true;
  writer.join();
  std::size_t files = 0;
  for (const auto& e : std::filesystem::directory_iterator{std::filesystem::path{file}.parent_path()})
    files += e.path().filename().string().starts_with("mortise.prom");
  EXPECT_EQ(files, 1u) << "nothing is left beside it";
  EXPECT_THROW(all.write(here.path("none/mortise.prom")), std::system_error);
}

// The bug: what a lock has been through and what the page says are two things.
TEST(prometheus, a_session_as_it_is) {
  cluster_test::memory_store store;
  mortise::cluster::session a{store};
  mortise::cluster::mutex m{a, "jobs"};
  for (int i = 0; i < 7; ++i) {
    m.lock();
    m.unlock();
  }
  prometheus_page all;
  all.add(a.counted());
  const page p = read(all.text());
  EXPECT_THAT(p.faults, testing::IsEmpty());
  EXPECT_EQ(p.samples.at(R"(mortise_cluster_acquisitions_total{lock="jobs"})"), 7);
  EXPECT_EQ(p.samples.at(R"(mortise_cluster_hold_seconds_count{lock="jobs"})"), 7);
  EXPECT_EQ(p.samples.at("mortise_cluster_leases_total"), 1);
}

}  // namespace
