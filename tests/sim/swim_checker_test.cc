// Every rule must fire on a forged history that breaks it, and stay silent on one that does not.
#include "sim/swim_checker.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/sim/nodes.h"

namespace starling::sim {
namespace {

using std::chrono::seconds;

class SwimCheckerTest : public testing::Test {
 protected:
  SwimCheckerTest() {
    for (const NodeId node : {a, b, c}) checker_.on_start(node);
  }
  void say(NodeId observer, TraceKind kind, NodeId subject, std::uint32_t incarnation,
           std::string_view from = {}) {
    Event event;
    event.kind = Event::Kind::trace;
    event.trace = kind;
    event.number = incarnation;
    event.from = from;
    checker_.on_trace(now_, observer, subject, event);
  }
  void after(Duration time) { now_ += time; }
  // The usual way to die: suspected, the suspicion runs out, declared dead.
  void die(NodeId observer, NodeId subject, std::uint32_t incarnation, Duration suspicion) {
    say(observer, TraceKind::suspect_started, subject, incarnation, name_of(observer));
    after(suspicion);
    say(observer, TraceKind::suspect_timed_out, subject, 0);
    say(observer, TraceKind::member_dead, subject, incarnation, name_of(observer));
  }
  std::vector<Rule> rules() const {
    std::vector<Rule> all;
    for (const Violation& each : violations_.kept()) all.push_back(each.rule);
    return all;
  }
  void expect_only(Rule rule) { EXPECT_EQ(rules(), std::vector<Rule>{rule}); }

  Violations violations_;
  SwimChecker checker_{
      {.suspicion_min = seconds(4), .suspicion_max = seconds(24), .reap_after = seconds(30)},
      3,
      violations_};
  Instant now_{seconds(100)};
};

TEST_F(SwimCheckerTest, AnOrdinaryLifeIsFine) {
  say(a, TraceKind::member_alive, a, 1);
  say(a, TraceKind::member_alive, b, 1);
  say(a, TraceKind::suspect_started, b, 1, "n002");
  say(a, TraceKind::suspect_confirmed, b, 1, "n000");
  say(b, TraceKind::refuted, b, 2);
  say(a, TraceKind::member_alive, b, 2);
  EXPECT_EQ(checker_.listed(a), 2U);
  die(a, b, 2, seconds(5));
  say(c, TraceKind::member_alive, b, 2);
  say(c, TraceKind::member_dead, b, 2, "n000");
  after(seconds(31));
  say(a, TraceKind::member_reaped, b, 0);
  EXPECT_EQ(checker_.listed(a), 1U);
  say(a, TraceKind::member_alive, b, 1);  // forgotten, so any incarnation will do
  checker_.on_leave(b);
  say(b, TraceKind::member_alive, b, 1);
  say(b, TraceKind::member_left, b, 1, "n001");
  say(a, TraceKind::member_left, b, 1, "n001");
  EXPECT_EQ(violations_.count(), 0U);
}

TEST_F(SwimCheckerTest, IncarnationFell) {
  say(a, TraceKind::member_alive, b, 5);
  say(a, TraceKind::suspect_started, b, 4, "n002");
  expect_only(Rule::incarnation_fell);
}

TEST_F(SwimCheckerTest, Resurrection) {
  say(a, TraceKind::member_alive, b, 5);
  die(a, b, 5, seconds(5));
  say(a, TraceKind::member_alive, b, 5);
  expect_only(Rule::resurrection);
}

TEST_F(SwimCheckerTest, ResurrectionAfterLeaving) {
  checker_.on_leave(b);
  say(a, TraceKind::member_alive, b, 5);
  say(a, TraceKind::member_left, b, 5, "n001");
  say(a, TraceKind::member_alive, b, 5);
  expect_only(Rule::resurrection);
}

TEST_F(SwimCheckerTest, SuspectsItself) {
  say(a, TraceKind::member_alive, a, 1);
  say(a, TraceKind::suspect_started, a, 1, "n001");
  expect_only(Rule::self_not_alive);
}

TEST_F(SwimCheckerTest, BelievesItselfLeftWithoutLeaving) {
  say(a, TraceKind::member_alive, a, 1);
  checker_.on_leave(a);
  checker_.on_start(a);  // it left in an earlier life; this process was not told
  say(a, TraceKind::member_alive, a, 1);
  say(a, TraceKind::member_left, a, 1, "n000");
  expect_only(Rule::self_not_alive);
}

TEST_F(SwimCheckerTest, ImpossibleStates) {
  say(a, TraceKind::suspect_confirmed, b, 1, "n002");
  expect_only(Rule::impossible_state);
  say(a, TraceKind::member_reaped, b, 0);
  EXPECT_EQ(violations_.count(), 2U);
  say(a, TraceKind::member_alive, b, 1);
  say(a, TraceKind::member_alive, b, 2);
  EXPECT_EQ(violations_.count(), 3U);
  say(a, TraceKind::suspect_started, c, 1, "n001");
  EXPECT_EQ(violations_.count(), 4U);
  for (const Rule rule : rules()) EXPECT_EQ(rule, Rule::impossible_state);
}

TEST_F(SwimCheckerTest, DeadWithoutSuspicion) {
  say(a, TraceKind::member_alive, b, 1);
  say(a, TraceKind::member_dead, b, 1, "n000");
  expect_only(Rule::dead_without_suspicion);
}

TEST_F(SwimCheckerTest, DeadLaterThanItsSuspicionRanOut) {
  say(a, TraceKind::member_alive, b, 1);
  say(a, TraceKind::suspect_started, b, 1, "n000");
  after(seconds(5));
  say(a, TraceKind::suspect_timed_out, b, 0);
  after(seconds(1));
  say(a, TraceKind::member_dead, b, 1, "n000");
  expect_only(Rule::dead_without_suspicion);
}

TEST_F(SwimCheckerTest, ItsOwnEarlierWordMayComeBack) {
  say(a, TraceKind::member_alive, b, 1);
  die(a, b, 1, seconds(5));
  after(seconds(31));
  say(a, TraceKind::member_reaped, b, 0);
  say(a, TraceKind::member_alive, b, 1);
  say(a, TraceKind::member_dead, b, 1, "n000");
  EXPECT_EQ(violations_.count(), 0U);
}

TEST_F(SwimCheckerTest, DeadWithoutAccuser) {
  say(a, TraceKind::member_alive, b, 1);
  say(a, TraceKind::member_dead, b, 1, "n002");
  expect_only(Rule::dead_without_accuser);
}

TEST_F(SwimCheckerTest, AccuserOfAnotherIncarnation) {
  say(c, TraceKind::member_alive, b, 1);
  die(c, b, 1, seconds(5));
  say(a, TraceKind::member_alive, b, 2);
  say(a, TraceKind::member_dead, b, 2, "n002");
  expect_only(Rule::dead_without_accuser);
}

TEST_F(SwimCheckerTest, LeftWithoutLeaving) {
  say(a, TraceKind::member_alive, b, 1);
  say(a, TraceKind::member_left, b, 1, "n001");
  expect_only(Rule::left_without_leaving);
}

TEST_F(SwimCheckerTest, SuspicionTooShortOrTooLong) {
  say(a, TraceKind::member_alive, b, 1);
  die(a, b, 1, seconds(3));
  expect_only(Rule::suspicion_too_short);
  say(a, TraceKind::member_alive, c, 1);
  die(a, c, 1, seconds(25));
  EXPECT_EQ(rules().back(), Rule::suspicion_too_long);
  EXPECT_EQ(violations_.count(), 2U);
}

TEST_F(SwimCheckerTest, APausedObserverMayBeLate) {
  say(a, TraceKind::member_alive, b, 1);
  say(a, TraceKind::suspect_started, b, 1, "n000");
  after(seconds(60));
  checker_.on_late(now_, a);
  say(a, TraceKind::suspect_timed_out, b, 0);
  say(a, TraceKind::member_dead, b, 1, "n000");
  EXPECT_EQ(violations_.count(), 0U);
}

TEST_F(SwimCheckerTest, ReapedTooEarly) {
  say(a, TraceKind::member_alive, b, 1);
  die(a, b, 1, seconds(5));
  after(seconds(29));
  say(a, TraceKind::member_reaped, b, 0);
  expect_only(Rule::reaped_too_early);
}

TEST_F(SwimCheckerTest, RefutationMustRise) {
  say(a, TraceKind::refuted, a, 3);
  say(a, TraceKind::refuted, a, 3);
  expect_only(Rule::refutation_fell);
}

}  // namespace
}  // namespace starling::sim
