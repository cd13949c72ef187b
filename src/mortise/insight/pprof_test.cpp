// What is written is what pprof reads.
#include <mortise/insight/pprof.hpp>

#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <mortise/insight/loaded_files.hpp>
#include <mortise/insight/symbols.hpp>
#include <protozero/pbf_reader.hpp>
#include <support/places_that_hold.hpp>

namespace {

using mortise::insight::call_stack;
using mortise::insight::recording;
using protozero::pbf_reader;

std::string unpacked(const std::string& packed) {
  z_stream z{};
  EXPECT_EQ(inflateInit2(&z, 15 + 16), Z_OK);  // gzip's header alone
  std::string text(1 << 20, '\0');
  std::string in = packed;
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(text.data());
  z.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&z, Z_FINISH), Z_STREAM_END);
  text.resize(z.total_out);
  inflateEnd(&z);
  return text;
}

struct sample {
  std::vector<std::uint64_t> locations;
  std::vector<std::int64_t> values;
  std::map<std::string, std::string> labels;
};
struct profile {
  std::vector<std::string> texts, types;  // "delay/nanoseconds"
  std::vector<sample> samples;
  std::map<std::uint64_t, std::uint64_t> addresses, mapping_of;             // by location
  std::map<std::uint64_t, std::vector<std::uint64_t>> functions_at;         // by location
  std::map<std::uint64_t, std::string> functions, mappings;                 // names
  std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> ranges;  // of mappings
  std::int64_t time = 0, duration = 0, period = 0;
  std::string usual, comment, dropped;

  explicit profile(const std::string& bytes) {
    for (pbf_reader p{bytes}; p.next(6);)
      texts.push_back(p.get_string());  // first: all else goes by their numbers
    for (pbf_reader p{bytes}; p.next();) read(p);
  }
  std::string leaf(const sample& s) const { return functions.at(functions_at.at(s.locations.at(0)).at(0)); }

 private:
  std::string text(std::int64_t n) const { return texts.at(static_cast<std::size_t>(n)); }

  void read(pbf_reader& p) {
    switch (p.tag()) {
      case 1: return read_type(p.get_message());
      case 2: return read_sample(p.get_message());
      case 3: return read_mapping(p.get_message());
      case 4: return read_location(p.get_message());
      case 5: return read_function(p.get_message());
      case 7: dropped = text(p.get_int64()); return;
      case 9: time = p.get_int64(); return;
      case 10: duration = p.get_int64(); return;
      case 12: period = p.get_int64(); return;
      case 13: comment = text(p.get_int64()); return;
      case 14: usual = text(p.get_int64()); return;
      default: p.skip();
    }
  }
  void read_type(pbf_reader t) {
    std::string type, unit;
    while (t.next()) (t.tag() == 1 ? type : unit) = text(t.get_int64());
    types.push_back(type + "/" + unit);
  }
  void read_sample(pbf_reader s) {
    sample found;
    while (s.next()) {
      if (s.tag() == 1) {
        for (const std::uint64_t l : s.get_packed_uint64()) found.locations.push_back(l);
      } else if (s.tag() == 2) {
        for (const std::int64_t v : s.get_packed_int64()) found.values.push_back(v);
      } else {
        std::string key, value;
        for (pbf_reader l = s.get_message(); l.next();) (l.tag() == 1 ? key : value) = text(l.get_int64());
        found.labels[key] = value;
      }
    }
    samples.push_back(found);
  }
  void read_mapping(pbf_reader m) {
    std::map<unsigned, std::uint64_t> f;
    while (m.next()) f[m.tag()] = m.get_uint64();
    mappings[f[1]] = text(static_cast<std::int64_t>(f[5]));
    ranges[f[1]] = {f[2], f[3]};
  }
  void read_location(pbf_reader l) {
    std::uint64_t id = 0, address = 0, mapping = 0;
    std::vector<std::uint64_t> here;
    while (l.next()) {
      if (l.tag() == 4) {
        for (pbf_reader line = l.get_message(); line.next();) {
          const std::uint64_t n = line.get_uint64();
          if (line.tag() == 1) here.push_back(n);
        }
      } else {
        (l.tag() == 1 ? id : l.tag() == 2 ? mapping : address) = l.get_uint64();
      }
    }
    addresses[id] = address;
    mapping_of[id] = mapping;
    functions_at[id] = here;
  }
  void read_function(pbf_reader f) {
    std::map<unsigned, std::uint64_t> v;
    while (f.next()) v[f.tag()] = f.get_uint64();
    functions[v[1]] = text(static_cast<std::int64_t>(v[2]));
  }
};

[[gnu::noinline]] call_stack here() { return call_stack::here(); }

}  // namespace

// Outside, so that their names are exported.
[[gnu::noinline]] call_stack place_of_a_holder() {
  const call_stack s = here();
  asm volatile("" ::: "memory");
  return s;
}
[[gnu::noinline]] call_stack place_of_a_waiter() {
  const call_stack s = here();
  asm volatile("" ::: "memory");
  return s;
}

namespace {

recording two_places() {
  recording r;
  r.began_ns = 1'700'000'000'000'000'000;
  r.lasted = 2'000'000'000;
  r.every = 1'000'000;
  r.places.push_back({"mutex", place_of_a_holder(), {.contentions = 3, .delay_ns = 6e6}});
  r.places.push_back({"semaphore", place_of_a_waiter(), {.waits = 2, .wait_ns = 1e6}});
  return r;
}

// The bug: a value goes to another place, type or unit, or is lost.
TEST(pprof, has_every_value_at_its_place) {
  const profile p{unpacked(as_pprof(two_places()))};
  EXPECT_EQ(p.types, (std::vector<std::string>{"contentions/count", "delay/nanoseconds", "waits/count",
                                               "wait/nanoseconds"}));
  EXPECT_EQ(p.usual, "delay");
  EXPECT_EQ(p.time, 1'700'000'000'000'000'000);
  EXPECT_EQ(p.duration, 2'000'000'000);
  EXPECT_EQ(p.period, 1'000'000);
  ASSERT_EQ(p.samples.size(), 2u);
  EXPECT_EQ(p.samples[0].values, (std::vector<std::int64_t>{3, 6'000'000, 0, 0}));
  EXPECT_EQ(p.samples[1].values, (std::vector<std::int64_t>{0, 0, 2, 1'000'000}));
  EXPECT_EQ(p.samples[0].labels.at("kind"), "mutex");
  EXPECT_EQ(p.samples[1].labels.at("kind"), "semaphore");
  EXPECT_EQ(p.texts.at(0), "");
  EXPECT_EQ(p.comment, "");
}

// The bug: the names are those of other functions, or how it was recorded is in it.
TEST(pprof, names_functions_and_leaves_out_its_own) {
  const recording r = two_places();
  const profile p{unpacked(as_pprof(r))};
  if (!MORTISE_HAS_BACKTRACE) GTEST_SKIP() << "this build knows the names of exported functions only";
  std::vector<std::string> all;
  for (const auto& [id, name] : p.functions) all.push_back(name);
  EXPECT_EQ(p.leaf(p.samples[0]).find("mortise"), std::string::npos) << p.leaf(p.samples[0]);
  const auto named = [&](const sample& s, const std::string& what) {
    for (const std::uint64_t l : s.locations) {
      for (const std::uint64_t f : p.functions_at.at(l)) {
        if (p.functions.at(f).find(what) != std::string::npos) return true;
      }
    }
    return false;
  };
  EXPECT_TRUE(named(p.samples[0], "place_of_a_holder"));
  EXPECT_FALSE(named(p.samples[0], "place_of_a_waiter"));
  EXPECT_TRUE(named(p.samples[1], "place_of_a_waiter"));
  EXPECT_FALSE(named(p.samples[0], "call_stack::here"));
}

// The bug: an address without the file it is in, so that nobody else can find its name.
TEST(pprof, every_address_is_in_a_file) {
  const profile p{unpacked(as_pprof(two_places()))};
  ASSERT_FALSE(p.addresses.empty());
  for (const auto& [id, address] : p.addresses) {
    const auto range = p.ranges.find(p.mapping_of.at(id));
    ASSERT_NE(range, p.ranges.end());
    EXPECT_GE(address, range->second.first);
    EXPECT_LT(address, range->second.second);
    EXPECT_EQ(p.mappings.at(range->first)[0], '/');
  }
}

// The bug: what there was no room for is not said.
TEST(pprof, says_what_was_left_out) {
  recording r = two_places();
  r.not_kept = 17;
  EXPECT_EQ(profile{unpacked(as_pprof(r))}.comment.substr(0, 3), "17 ");
}

// The bug: an empty profile is no profile.
TEST(pprof, may_be_empty) {
  const profile p{unpacked(as_pprof(recording{}))};
  EXPECT_EQ(p.types.size(), 4u);
  EXPECT_TRUE(p.samples.empty());
}

// The bug: pprof itself cannot read it, or reads something else.
TEST(pprof, is_read_by_go_tool_pprof) {
  if (std::system("go tool pprof -h >/dev/null 2>&1; test $? != 127 && command -v go >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "there is no Go here";
  const std::string file = testing::TempDir() + "mortise_pprof_test.pb.gz";
  std::ofstream(file, std::ios::binary) << as_pprof(two_places());
  const auto shown = [&](const std::string& how) {
    std::string text;
    const std::unique_ptr<FILE, int (*)(FILE*)> out{
        ::popen(("go tool pprof " + how + " " + file + " 2>/dev/null").c_str(), "r"), ::pclose};
    std::array<char, 4096> some;
    while (const std::size_t n = std::fread(some.data(), 1, some.size(), out.get()))
      text.append(some.data(), n);
    return text;
  };
  const std::string raw = shown("-raw");
  EXPECT_NE(raw.find("PeriodType: delay nanoseconds"), std::string::npos) << raw;
  EXPECT_NE(raw.find("3    6000000          0          0"), std::string::npos) << raw;
  const std::string top = shown("-top");  // the usual type
  EXPECT_NE(top.find("Type: delay"), std::string::npos) << top;
  EXPECT_NE(top.find("6ms"), std::string::npos) << top;
  if (MORTISE_HAS_BACKTRACE) EXPECT_NE(top.find("place_of_a_holder"), std::string::npos) << top;
  std::remove(file.c_str());
}

// The bug: the first name in a mangled one is not that of the outermost namespace.
TEST(symbols, tell_plumbing_from_what_the_user_wrote) {
  const auto is_plumbing = [](const char* symbol) {
    mortise::insight::code_line l;
    l.symbol = symbol;
    return l.is_plumbing();
  };
  EXPECT_TRUE(is_plumbing("_ZN7mortise2v05mutex11unlock_slowEv"));
  EXPECT_TRUE(is_plumbing("_ZNSt11unique_lockIN7mortise2v05mutexEE6unlockEv"));
  EXPECT_TRUE(is_plumbing("_ZNKSt8functionIFvvEEclEv"));
  EXPECT_TRUE(is_plumbing("_ZZN7mortise2v04wait7observeEvENKUlvE_clEv"));
  EXPECT_FALSE(is_plumbing("_ZN3app11my_mortiseEN7mortise2v05mutexE"));
  EXPECT_FALSE(is_plumbing("_Z10hold_longRSt5mutex"));
  EXPECT_FALSE(is_plumbing("main"));
  EXPECT_FALSE(is_plumbing(""));
  const auto is_written_in_plumbing = [](const char* file) {
    mortise::insight::code_line l;
    l.symbol = "operator()";  // all that is known of a lambda that was not inlined
    l.file = file;
    return l.is_plumbing();
  };
  EXPECT_TRUE(is_written_in_plumbing("/usr/include/mortise/lock/guarded.hpp"));
  EXPECT_TRUE(is_written_in_plumbing("../../src/mortise/wait/observer.cpp"));
  EXPECT_TRUE(is_written_in_plumbing("/usr/include/c++/12/functional"));
  EXPECT_FALSE(is_written_in_plumbing("app/lock/guarded.cpp"));
  EXPECT_FALSE(is_written_in_plumbing("../../src/mortise/insight/profile_test.cpp"));
}

}  // namespace
