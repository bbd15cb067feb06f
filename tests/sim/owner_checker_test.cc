// Every rule must fire on forged numbers that break it, and stay silent on sound ones.
#include "sim/owner_checker.h"

#include <gtest/gtest.h>

#include "tests/sim/nodes.h"

namespace starling::sim {
namespace {

class OwnerCheckerTest : public testing::Test {
 protected:
  void expect_only(Rule rule) {
    ASSERT_EQ(violations_.count(), 1U);
    EXPECT_EQ(violations_.kept()[0].rule, rule);
  }
  void stats() { checker_.on_stats(now_, a, stats_, expected_); }

  EngineOptions options_;
  Violations violations_;
  OwnerChecker checker_{OwnerLimits::of(options_), 4, violations_};
  Instant now_{std::chrono::seconds(5)};
  Stats stats_{};
  ExpectedNumbers expected_;
};

TEST_F(OwnerCheckerTest, SoundNumbersAreFine) {
  checker_.on_start(a);
  checker_.on_command(a, 7);
  EXPECT_EQ(checker_.unanswered(a), 1U);
  checker_.on_answer(now_, a, 7);
  EXPECT_EQ(checker_.unanswered(a), 0U);
  stats_.nodes = expected_.nodes = 4;
  stats_.members = expected_.members = 4;
  stats_.membership_queue = 5;
  stats();
  checker_.on_packet(now_, a, 1400);
  checker_.on_polls(now_, a, 3);
  EXPECT_EQ(violations_.count(), 0U);
}

TEST_F(OwnerCheckerTest, AnswersTwiceOrUnasked) {
  checker_.on_answer(now_, a, 1);
  expect_only(Rule::answer_unasked);
  checker_.on_command(a, 2);
  checker_.on_answer(now_, a, 2);
  checker_.on_answer(now_, a, 2);
  EXPECT_EQ(violations_.count(), 2U);
}

TEST_F(OwnerCheckerTest, ClockFell) {
  stats_.event_time = 9;
  stats();
  stats_.event_time = 8;
  stats();
  expect_only(Rule::clock_fell);
}

TEST_F(OwnerCheckerTest, OwnIncarnationFell) {
  stats_.incarnation = 3;
  stats();
  stats_.incarnation = 2;
  stats();
  expect_only(Rule::incarnation_fell);
  checker_.on_start(a);  // a new process starts over
  stats_.incarnation = 1;
  stats();
  EXPECT_EQ(violations_.count(), 1U);
}

TEST_F(OwnerCheckerTest, QueuesOverTheirBound) {
  stats_.membership_queue = 6;  // four nodes and one refutation make five
  stats();
  expect_only(Rule::over_bound);
  stats_.membership_queue = 0;
  stats_.event_queue = static_cast<std::uint32_t>(options_.serf.queue_depth_max) + 1;
  stats();
  EXPECT_EQ(violations_.count(), 2U);
}

TEST_F(OwnerCheckerTest, NumbersDisagree) {
  stats_.suspicions = 1;
  stats();
  expect_only(Rule::numbers_disagree);
}

TEST_F(OwnerCheckerTest, ReportsLost) {
  stats_.counters.traces_lost = 1;
  stats();
  expect_only(Rule::reports_lost);
}

TEST_F(OwnerCheckerTest, PacketsEmptyOrTooLarge) {
  checker_.on_packet(now_, a, 1408);
  expect_only(Rule::packet_too_large);
  checker_.on_packet(now_, a, 0);
  EXPECT_EQ(violations_.count(), 2U);
}

TEST_F(OwnerCheckerTest, NeverIdle) {
  checker_.on_polls(now_, a, 1001);
  expect_only(Rule::never_idle);
}

}  // namespace
}  // namespace starling::sim
