// Every rule must fire on a forged history that breaks it, and stay silent on one that does not.
#include "sim/query_checker.h"

#include <gtest/gtest.h>

#include "tests/sim/nodes.h"

namespace starling::sim {
namespace {

using std::chrono::seconds;

class QueryCheckerTest : public testing::Test {
 protected:
  QueryCheckerTest() {
    for (const NodeId node : {a, b, c}) checker_.on_start(node);
  }
  // As the only query, token 7: of a, to whom the question says, for two seconds.
  void ask(Question question = {}) {
    question.name = "q";
    question.payload = "p";
    question.timeout = seconds(2);
    checker_.on_asked(now_, a, 7, question);
    checker_.on_command_done(now_, a, {.token = 7});
  }
  void hear(NodeId observer, std::string_view payload = "p", std::uint32_t filters = 0) {
    Event event;
    event.kind = Event::Kind::query;
    event.name = "q";
    event.payload = as_bytes(payload);
    const std::string from = name_of(a);
    event.from = from;
    event.filter_count = filters;
    checker_.on_query(now_, observer, event);
  }
  void ack(NodeId from, NodeId observer = a) {
    checker_.on_ack(now_, observer, from, {.token = token_});
  }
  void respond(NodeId from, std::string_view words, NodeId observer = a) {
    checker_.on_response(now_, observer, from, {.payload = as_bytes(words), .token = token_});
  }
  void end(NodeId observer = a) { checker_.on_done(now_, observer, {.token = token_}); }
  void expect_only(Rule rule) {
    ASSERT_EQ(violations_.count(), 1U);
    EXPECT_EQ(violations_.kept()[0].rule, rule) << to_text(violations_.kept()[0].rule);
  }

  Violations violations_;
  QueryChecker checker_{3, violations_};
  Instant now_{seconds(5)};
  std::uint64_t token_ = 7;
};

TEST_F(QueryCheckerTest, AnOrdinaryQueryIsFine) {
  ask();
  ack(a);  // before it is reported there
  for (const NodeId node : {a, b, c}) hear(node);
  ack(b);
  checker_.on_answered(now_, b, "q", "yes");
  respond(b, "yes");
  now_ += seconds(2);
  EXPECT_EQ(checker_.unfinished(now_ + seconds(2), a, seconds(1)), 1U);
  end();
  checker_.expect_answers(now_, "q", seconds(3));
  EXPECT_EQ(checker_.unfinished(now_ + seconds(2), a, seconds(1)), 0U);
  EXPECT_TRUE(checker_.is_over("q"));
  EXPECT_EQ(checker_.heard_by("q"), 3U);
  EXPECT_EQ(checker_.responses("q"), 1U);
  EXPECT_EQ(violations_.count(), 0U);
}

TEST_F(QueryCheckerTest, AQueryThatNobodyAsked) {
  hear(b);
  expect_only(Rule::foreign_query);
}

TEST_F(QueryCheckerTest, AQueryWithAnotherPayload) {
  ask();
  hear(b, "other");
  expect_only(Rule::foreign_query);
}

TEST_F(QueryCheckerTest, AQueryForOthers) {
  ask({.nodes = {a, c}});
  hear(c);
  EXPECT_EQ(violations_.count(), 0U);
  hear(b);
  expect_only(Rule::foreign_query);
}

TEST_F(QueryCheckerTest, OwnersJudgeTags) {
  ask({.tagged = b});
  hear(b, "p", 1);
  hear(c, "p", 1);
  EXPECT_EQ(violations_.count(), 0U);
  hear(a);  // as if the filter had been lost
  expect_only(Rule::foreign_query);
}

TEST_F(QueryCheckerTest, AQueryHandedOverTwice) {
  ask();
  hear(b);
  checker_.on_start(b);
  hear(b);  // another process
  EXPECT_EQ(violations_.count(), 0U);
  hear(b);
  expect_only(Rule::query_twice);
}

TEST_F(QueryCheckerTest, AnAckThatNobodySent) {
  ask();
  ack(b);
  expect_only(Rule::foreign_answer);
}

TEST_F(QueryCheckerTest, AnAckThatNobodyWanted) {
  ask({.want_acks = false});
  hear(b);
  ack(b);
  expect_only(Rule::foreign_answer);
}

TEST_F(QueryCheckerTest, AnAckByTagsIsTheOwners) {
  ask({.tagged = b});
  hear(b, "p", 1);
  checker_.on_acknowledged(now_, b, "q");
  ack(b);
  EXPECT_EQ(violations_.count(), 0U);
  ack(c);
  expect_only(Rule::foreign_answer);
}

TEST_F(QueryCheckerTest, AnAnswerThatNobodyGave) {
  ask();
  hear(b);
  checker_.on_answered(now_, b, "q", "yes");
  respond(b, "no");
  expect_only(Rule::foreign_answer);
}

TEST_F(QueryCheckerTest, AnAnswerToAnotherProcess) {
  ask();
  hear(b);
  checker_.on_answered(now_, b, "q", "yes");
  checker_.on_start(a);
  respond(b, "yes");
  expect_only(Rule::foreign_answer);
}

TEST_F(QueryCheckerTest, AnAnswerToNothing) {
  token_ = 8;
  respond(b, "yes");
  expect_only(Rule::foreign_answer);
}

TEST_F(QueryCheckerTest, AnAnswerOfAStranger) {
  ask();
  checker_.on_response(now_, a, std::nullopt, {.token = token_});
  expect_only(Rule::foreign_answer);
}

TEST_F(QueryCheckerTest, AnswersThatComeTwice) {
  ask();
  hear(b);
  checker_.on_answered(now_, b, "q", "yes");
  respond(b, "yes");
  respond(b, "yes");
  expect_only(Rule::answer_twice);
}

TEST_F(QueryCheckerTest, AcksThatComeTwice) {
  ask();
  hear(b);
  ack(b);
  ack(b);
  expect_only(Rule::answer_twice);
}

TEST_F(QueryCheckerTest, AnAnswerPastTheEnd) {
  ask();
  hear(b);
  now_ += seconds(2);
  ack(b);
  EXPECT_EQ(violations_.count(), 0U);
  now_ += Duration(1);
  checker_.on_answered(now_, b, "q", "yes");
  respond(b, "yes");
  expect_only(Rule::query_end);
}

TEST_F(QueryCheckerTest, AnAnswerAfterTheEndWasSaid) {
  ask();
  hear(b);
  now_ += seconds(2);
  end();
  ack(b);
  expect_only(Rule::foreign_answer);
}

TEST_F(QueryCheckerTest, ABadAnswerThatIsTaken) {
  ask();
  checker_.on_bad_answer(8, "q");
  checker_.on_bad_answer(9, "q");
  checker_.on_command_done(now_, b, {.token = 8, .result = CommandResult::too_late});
  EXPECT_EQ(violations_.count(), 0U);
  checker_.on_command_done(now_, b, {.token = 9, .result = CommandResult::ok});
  expect_only(Rule::bad_answer_taken);
}

TEST_F(QueryCheckerTest, AnEndTooEarly) {
  ask();
  now_ += seconds(1);
  end();
  expect_only(Rule::query_end);
}

TEST_F(QueryCheckerTest, AnswersThatWereLost) {
  ask();
  hear(b);
  checker_.on_answered(now_, b, "q", "yes");
  now_ += seconds(2);
  end();
  checker_.expect_answers(now_, "q", seconds(3));  // sent too late to be missed
  EXPECT_EQ(violations_.count(), 0U);
  checker_.expect_answers(now_, "q", seconds(1));
  ASSERT_EQ(violations_.count(), 2U);  // the ack and the response
  EXPECT_EQ(violations_.kept()[0].rule, Rule::answer_lost);
  EXPECT_EQ(violations_.kept()[1].rule, Rule::answer_lost);
}

}  // namespace
}  // namespace starling::sim
