// The machine by hand, step by step; tests/cluster drives it at random.
#include <mortise/cluster/tenure.hpp>

#include <gtest/gtest.h>

namespace {

using namespace mortise::cluster;
using stage = tenure::stage;
using result = tenure::result;

transaction_reply ok(bool succeeded, revision at, std::vector<std::vector<key_value>> found) {
  transaction_reply r;
  r.how = verdict::ok;
  r.succeeded = succeeded;
  r.at = at;
  r.found = std::move(found);
  return r;
}
transaction_reply refused(const char* text, bool no_lease = false) {
  transaction_reply r;
  r.how = verdict::refused;
  r.text = text;
  r.no_such_lease = no_lease;
  return r;
}
const transaction_reply no_answer{};

const key_value me{"n//q/1.1", "", 10, 10}, before_me{"n//q/2.1", "", 8, 8};

struct one_tenure : testing::Test {
  tenure t{{"n//q/", "n//q/1.1", "n//f/1.0", "n//v", 1}, 0, {}};
  request last = t.begin(0);
  void answer(const transaction_reply& r, mortise::nanos now = 0) { last = t.answered(last.number, r, now); }
  const transaction& sent() const { return std::get<transaction>(last.what); }
  void pause() { last = t.pause_over(last.number, 0); }
  void hold() {
    answer(ok(true, 10, {{me}, {}}));
    ASSERT_EQ(t.at(), stage::holds);
  }
};

bool fences(const transaction& x) {
  for (const operation& o : x.then) {
    const put* p = std::get_if<put>(&o);
    if (p != nullptr && p->key == "n//f/1.0") return true;
  }
  return false;
}

TEST_F(one_tenure, a_free_lock_is_held_after_one_transaction_and_given_back_with_the_commit) {
  hold();
  EXPECT_EQ(t.token(), 10u);
  EXPECT_FALSE(t.state_exists());
  last = t.commit("x", key::is_given_back, 0);
  ASSERT_EQ(sent().if_all.size(), 2u);
  EXPECT_EQ(sent().if_all[0].is, 10);
  EXPECT_EQ(sent().if_all[1].is, 0);
  EXPECT_EQ(std::get<put>(sent().then[0]).value, "mortise 1 1 10.1\nx");
  EXPECT_EQ(std::get<erase>(sent().then[1]).key, "n//q/1.1");
  answer(ok(true, 11, {}));
  EXPECT_EQ(t.last(), result::applied);
  EXPECT_EQ(t.at(), stage::over);
}

TEST_F(one_tenure, waits_for_the_one_before_and_looks_again_after_a_broken_watch) {
  answer(ok(true, 10, {{me, before_me}, {}}));
  EXPECT_EQ(t.at(), stage::waits);
  EXPECT_EQ(std::get<watch_request>(last.what).key, before_me.key);
  EXPECT_EQ(std::get<watch_request>(last.what).from, 11);
  last = t.watch_ended(last.number, watch_end::broken, 0);
  pause();
  answer(ok(true, 12, {{me}, {before_me}, {}}));
  ASSERT_EQ(t.at(), stage::waits);
  last = t.watch_ended(last.number, watch_end::erased, 0);
  answer(ok(true, 13, {{me}, {}, {}}));
  EXPECT_EQ(t.at(), stage::holds);
}

// The bug: an answer with nothing in it says that a change was done, or that it was not, and it is lost or done twice.
TEST_F(one_tenure, an_answer_that_lacks_something_does_not_tell_what_became_of_a_change) {
  for (const bool succeeded : {true, false}) {
    tenure mine{{"n//q/", "n//q/1.1", "n//f/1.0", "n//v", 1}, 0, {}};
    request r = mine.begin(0);
    r = mine.answered(r.number, ok(true, 10, {{me}, {}}), 0);
    r = mine.commit("x", key::is_kept, 0);
    r = mine.answered(r.number, ok(succeeded, 0, {}), 0);
    ASSERT_EQ(mine.at(), stage::resolves);
    r = mine.answered(r.number, ok(true, 12, {{{"n//v", "mortise 1 1 10.1\nx", 11, 11}}}), 0);
    EXPECT_EQ(mine.last(), result::applied);
  }
}

// The bug: a server that does not know of those before me yet is believed.
TEST_F(one_tenure, a_server_that_is_behind_is_not_believed) {
  answer(ok(true, 10, {{me, before_me}, {}}));
  last = t.watch_ended(last.number, watch_end::erased, 0);
  answer(ok(true, 9, {{}, {}, {}}));
  EXPECT_EQ(t.at(), stage::looks);
  pause();
  answer(ok(true, 10, {{me}, {before_me}, {}}));
  EXPECT_EQ(t.at(), stage::waits);
}

// The bug: one value is overwritten by what was made of another.
TEST_F(one_tenure, a_stale_value_is_told_and_may_be_tried_again) {
  hold();
  last = t.commit("x", key::is_given_back, 0);
  answer(ok(false, 12, {{me}, {{"n//v", "mortise 1 4 3.1 4.1 5.1 6.1\ny", 2, 11}}}));
  EXPECT_EQ(t.last(), result::stale);
  ASSERT_EQ(t.at(), stage::holds);
  EXPECT_EQ(t.state().bytes, "y");
  last = t.commit("yx", key::is_kept, 0);
  EXPECT_EQ(sent().if_all[1].is, 11);
  answer(ok(true, 13, {}));
  EXPECT_EQ(t.last(), result::applied);
  EXPECT_EQ(t.at(), stage::holds);
  EXPECT_EQ(t.state().count, 5u);
}

TEST_F(one_tenure, lost_is_told_by_the_compare) {
  hold();
  last = t.commit("x", key::is_given_back, 0);
  answer(ok(false, 12, {{}, {}}));
  EXPECT_EQ(t.last(), result::lost);
  EXPECT_EQ(t.at(), stage::over);
  EXPECT_EQ(t.ended(), tenure::ending::lost);
}

// The bug: no answer is taken for an answer.
TEST_F(one_tenure, no_answer_is_resolved_by_what_is_there_afterwards) {
  const auto resolved = [](std::vector<key_value> value) {
    tenure mine{{"n//q/", "n//q/1.1", "n//f/1.0", "n//v", 1}, 0, {}};
    request r = mine.begin(0);
    r = mine.answered(r.number, ok(true, 10, {{me}, {{"n//v", "mortise 1 1 5.1\na", 6, 6}}}), 0);
    r = mine.commit("ab", key::is_kept, 0);
    r = mine.answered(r.number, no_answer, 0);
    EXPECT_EQ(mine.at(), stage::resolves);
    EXPECT_EQ(std::get<erase>(std::get<transaction>(r.what).then[0]).key, me.key);
    r = mine.answered(r.number, ok(true, 20, {std::move(value)}), 0);
    EXPECT_EQ(mine.at(), stage::over);
    return mine.last();
  };
  std::string long_after = "mortise 1 100";
  for (int i = 0; i < 64; ++i) long_after += " 30." + std::to_string(i);
  EXPECT_EQ(resolved({{"n//v", "mortise 1 1 5.1\na", 6, 6}}), result::not_applied);
  EXPECT_EQ(resolved({{"n//v", "mortise 1 2 5.1 10.1\nab", 6, 11}}), result::applied);
  EXPECT_EQ(resolved({{"n//v", "mortise 1 3 5.1 10.1 12.1\nabc", 6, 13}}), result::applied);
  EXPECT_EQ(resolved({{"n//v", "mortise 1 2 5.1 12.1\nac", 6, 13}}), result::not_applied);
  EXPECT_EQ(resolved({{"n//v", long_after + "\nz", 6, 130}}), result::unknown);
  EXPECT_EQ(resolved({{"n//v", "somebody else's", 6, 130}}), result::unknown);
  EXPECT_EQ(resolved({}), result::unknown);
}

TEST_F(one_tenure, what_cannot_be_resolved_in_time_is_unknown_and_the_key_is_still_given_back) {
  hold();
  last = t.commit("x", key::is_kept, 0);
  answer(no_answer);
  answer(no_answer, 31'000'000'000);
  EXPECT_EQ(t.last(), result::unknown);
  EXPECT_EQ(t.at(), stage::leaves);
  pause();
  answer(ok(true, 20, {{}}));
  EXPECT_EQ(t.at(), stage::over);
}

// The bug: a request for the key that was given up is done later, and puts a key that nobody gives back.
TEST_F(one_tenure, an_ask_without_an_answer_is_made_to_fail) {
  answer(no_answer);
  pause();
  answer(ok(false, 12, {{me}, {}}));  // it had been done
  answer(ok(true, 12, {{me}, {}, {}}));
  ASSERT_EQ(t.at(), stage::holds);
  last = t.commit("x", key::is_given_back, 0);
  EXPECT_TRUE(fences(sent()));
  answer(ok(true, 13, {}));
  EXPECT_EQ(t.fence(), 13);
}

TEST_F(one_tenure, one_who_gives_up_while_he_asks_makes_it_fail) {
  last = t.leave(0);
  EXPECT_TRUE(fences(sent()));
  answer(no_answer);
  pause();
  answer(ok(true, 13, {{}}));
  EXPECT_EQ(t.at(), stage::over);
  EXPECT_EQ(t.fence(), 13);
}

TEST_F(one_tenure, a_fence_that_has_changed_is_learned) {
  answer(ok(false, 12, {{}, {{"n//f/1.0", "", 7, 9}}}));
  ASSERT_EQ(t.at(), stage::asks);
  EXPECT_EQ(sent().if_all[1].is, 9);
}

// The bug: an answer that comes late or twice moves the machine.
TEST_F(one_tenure, answers_to_earlier_numbers_are_ignored) {
  const request first = last;
  answer(no_answer);
  EXPECT_TRUE(t.answered(first.number, ok(true, 10, {{me}, {}}), 0).nothing());
  EXPECT_EQ(t.at(), stage::asks);
  pause();
  EXPECT_TRUE(t.pause_over(first.number, 0).nothing());
  EXPECT_TRUE(t.watch_ended(first.number, watch_end::erased, 0).nothing());
}

// The bug: what is not as it should be is believed, or written over.
TEST_F(one_tenure, bad_answers_end_in_one_line_and_the_key_is_given_back) {
  for (const auto& bad :
       {ok(true, 10, {}), ok(true, 10, {{me}}), ok(true, 10, {{}, {}}), ok(false, 10, {{}}),
        ok(true, 10, {{me}, {{"n//v", "foreign", 2, 2}}}), refused("etcdserver: permission denied")}) {
    tenure other{{"n//q/", "n//q/1.1", "n//f/1.0", "n//v", 1}, 0, {}};
    request r = other.begin(0);
    r = other.answered(r.number, bad, 0);
    EXPECT_EQ(other.at(), stage::leaves);
    EXPECT_EQ(other.ended(), tenure::ending::refused);
    EXPECT_NE(other.text(), "");
  }
}

TEST_F(one_tenure, without_a_lease_it_is_over) {
  answer(refused("etcdserver: requested lease not found", true));
  EXPECT_EQ(t.at(), stage::over);
  EXPECT_TRUE(t.lease_was_refused());
}

// The bug: the lease is said to be gone, and a holder takes that for a proof.
TEST_F(one_tenure, a_lease_that_is_gone_ends_a_wait_but_proves_nothing_to_a_holder) {
  hold();
  EXPECT_TRUE(t.lease_is_gone(0).nothing());
  EXPECT_EQ(t.at(), stage::holds);
  tenure waiting{{"n//q/", "n//q/1.1", "n//f/1.0", "n//v", 1}, 0, {}};
  request r = waiting.begin(0);
  r = waiting.answered(r.number, ok(true, 10, {{me, before_me}, {}}), 0);
  r = waiting.lease_is_gone(0);
  EXPECT_EQ(waiting.at(), stage::leaves);
  EXPECT_EQ(waiting.ended(), tenure::ending::lost);
}

}  // namespace
