// What is made of what is known of a region.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <app/shm/show.hpp>

namespace {

using app::shm::age;
using app::shm::as_json;
using app::shm::details;
using app::shm::table;
using mortise::shm::region_info;
using mortise::shm::verdict;
using testing::HasSubstr;
using testing::Not;

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t made = 1'795'924'197 * second, now = made + 7200 * second;

region_info jobs() {
  region_info r;
  r.name = "jobs";
  r.path = "/run/jobs";
  r.type = "counters";
  r.size = 24;
  r.alignment = 8;
  r.total_size = 77'824;
  r.created_ns = made;
  r.first_token = made;
  r.token = made + 12;
  r.open = true;
  r.waiting = 3;
  r.participants = {{0x801, 123, "worker", 0, true, false}, {0x802, 7, "other one", 3, std::nullopt, true}};
  r.holder = 0x801;
  return r;
}

TEST(shm_show, ages_are_rounded_down) {
  EXPECT_EQ(age(made, made + 59 * second), "59s");
  EXPECT_EQ(age(made, made + 3599 * second), "59min");
  EXPECT_EQ(age(made, made + 86'399 * second), "23h");
  EXPECT_EQ(age(made, made + 86'400 * 400 * second), "400d");
  EXPECT_EQ(age(made, made - second), "0s");
}

TEST(shm_show, a_table_is_a_line_for_each) {
  region_info cut, idle;
  cut.name = "cut";
  cut.refused = "shared memory 'cut' is short";
  idle = jobs();
  idle.name = "idle-for-long";
  idle.holder = 0;
  idle.participants.clear();
  idle.waiting = 0;
  EXPECT_EQ(table({cut, idle, jobs()}, now),
            "NAME           TYPE      SIZE  AGE  USERS  WAITING  HOLDER\n"
            "cut            refused: shared memory 'cut' is short\n"
            "idle-for-long  counters    24   2h      0        0  -\n"
            "jobs           counters    24   2h      2        3  123 worker, stopped\n");
}

TEST(shm_show, details_are_all_there) {
  EXPECT_EQ(details(jobs(), now),
            "name          jobs\n"
            "file          /run/jobs\n"
            "type          counters\n"
            "size          24 bytes, aligned to 8; the file: 77824\n"
            "age           2h, made 2026-11-29T03:49:57Z\n"
            "token         1795924197000000012, 12 tenures since it was made\n"
            "holder        123 worker, stopped\n"
            "kept          no\n"
            "waiting       3\n"
            "participants  2\n"
            "  123 worker, stopped, holds it\n"
            "  7 other one in another pid namespace, 3 waiting\n");
  region_info r = jobs();
  r.holder = 0x1001;
  r.owner_died = true;
  r.keeper = 0x802;
  EXPECT_THAT(details(r, now), HasSubstr("holder        one who died\n"));
  EXPECT_THAT(details(r, now), HasSubstr("died          a holder; the next one is told\n"));
  EXPECT_THAT(details(r, now),
              HasSubstr("kept          for its tasks, by 7 other one in another pid namespace\n"));
  r.holder = 0;
  EXPECT_THAT(details(r, now),
              HasSubstr("holder        7 other one in another pid namespace, for its tasks\n"));
  r.keeper = 0;
  EXPECT_THAT(details(r, now), HasSubstr("holder        nobody\n"));
  r.participants.clear();
  EXPECT_THAT(details(r, now), HasSubstr("participants  0, and a process that has not used it yet\n"));
  r.state = verdict::other_boot;
  EXPECT_THAT(details(r, now), HasSubstr("state         from before the machine was started anew"));
  r.state = verdict::unfinished;
  EXPECT_THAT(details(r, now), Not(HasSubstr("token")));
}

TEST(shm_show, json_has_the_same) {
  EXPECT_EQ(as_json(jobs(), now), nlohmann::ordered_json::parse(R"({
    "name": "jobs", "file": "/run/jobs", "state": "good", "type": "counters", "size": 24, "alignment": 8, "file_size": 77824,
    "made": "2026-11-29T03:49:57Z", "age_s": 7200, "token": "1795924197000000012", "first_token": "1795924197000000000",
    "kept": false, "owner_died": false, "waiting": 3, "open": true, "holder": {"participant": 2049, "alive": true, "pid": 123}, "keeper": null,
    "participants": [
      {"participant": 2049, "pid": 123, "command": "worker", "waiting": 0, "stopped": true, "other_namespace": false},
      {"participant": 2050, "pid": 7, "command": "other one", "waiting": 3, "stopped": null, "other_namespace": true}]})"));
  region_info r;
  r.name = "cut";
  r.path = "/run/cut";
  r.refused = "short";
  EXPECT_EQ(as_json(r, now),
            nlohmann::ordered_json::parse(
                R"({"name": "cut", "file": "/run/cut", "state": "refused", "refused": "short"})"));
}

}  // namespace
