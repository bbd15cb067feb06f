#include "agent/swarm/performance.h"

#include "agent/swarm/build_up.h"
#include "tests/agent/swarm/small_swarm.h"

namespace starling::agent::swarm {
namespace {

class Performing : public testing::Test {
 protected:
  Performing() : swarm_(small_options()) { built_ = build_up(swarm_.stage()).converged; }
  ActResult perform_one(std::string_view text) {
    EXPECT_TRUE(built_);
    return perform(swarm_.stage(), parse_acts(text)->front());
  }
  SmallSwarm swarm_;
  bool built_ = false;
};

TEST_F(Performing, Kill) {
  const ActResult result = perform_one("kill 3");
  EXPECT_TRUE(result.passed) << result.verdict;
  EXPECT_EQ(result.subjects, 3u);
  EXPECT_EQ(result.times.reported_by_all, 3u);
  EXPECT_EQ(result.times.detection.count(), 3u);
  EXPECT_EQ(result.times.spread.count(), 6u);
  EXPECT_EQ(result.false_failures, 0u);
  EXPECT_EQ(result.failures, 9u);
  // Nobody is declared dead before the shortest suspicion has passed.
  EXPECT_GE(result.times.detection.min(), 4 * swarm_.plan().swim.probe_interval);
  EXPECT_LE(result.times.last.max(), result.bound);
  EXPECT_EQ(swarm_.stage().living_count(), 57u);
  EXPECT_EQ(swarm_.stage().agreement().failed, 3u);
}

TEST_F(Performing, KillEngine) {
  const ActResult result = perform_one("kill-engine");
  EXPECT_TRUE(result.passed) << result.verdict;
  EXPECT_EQ(result.subjects, 20u);
  EXPECT_EQ(result.times.reported_by_all, 20u);
  EXPECT_EQ(swarm_.stage().agreement().engines, 2u);
}

TEST_F(Performing, UpdateAndLeave) {
  const ActResult updated = perform_one("update 5");
  EXPECT_TRUE(updated.passed) << updated.verdict;
  EXPECT_EQ(updated.times.reported_by_all, 5u);
  EXPECT_EQ(updated.failures, 0u);
  const ActResult left = perform_one("leave 2");
  EXPECT_TRUE(left.passed) << left.verdict;
  EXPECT_EQ(swarm_.stage().agreement().left, 2u);
}

TEST_F(Performing, ChurnBringsEverybodyBack) {
  const ActResult result = perform_one("churn 20/s:1s");
  EXPECT_TRUE(result.passed) << result.verdict;
  EXPECT_GE(result.subjects, 10u);
  EXPECT_EQ(swarm_.stage().agreement().alive, 60u);
  for (std::uint32_t member = 0; member < 60; ++member) {
    EXPECT_FALSE(swarm_.population().excused(member));
  }
}

TEST_F(Performing, PartitionHeals) {
  const ActResult result = perform_one("partition 10s");
  EXPECT_TRUE(result.passed) << result.verdict;
  EXPECT_GT(result.failures, 0u) << "the halves must have lost each other";
  EXPECT_GT(result.views_most, 1u);
  EXPECT_EQ(result.false_failures, 0u);
  EXPECT_EQ(swarm_.stage().agreement().alive, 60u);
  EXPECT_FALSE(swarm_.population().excused(0));
}

TEST_F(Performing, LossAndWait) {
  const ActResult lossy = perform_one("loss 2%:2s");
  EXPECT_TRUE(lossy.passed) << lossy.verdict;
  EXPECT_EQ(swarm_.stage().cuts().loss(), 0.0);
  const ActResult waited = perform_one("wait 1s");
  EXPECT_TRUE(waited.passed) << waited.verdict;
}

// A member that dies without an act to excuse it is what a false positive looks like.
TEST_F(Performing, FalseFailuresFailTheAct) {
  swarm_.stage().order(1, {.kind = Order::Kind::abandon, .member = 25});
  const ActResult result = perform_one("wait 15s");
  EXPECT_FALSE(result.passed);
  EXPECT_EQ(result.false_failures, 3u);
  EXPECT_NE(result.verdict.find("3 reports of a failure that was none"), std::string::npos);
}

TEST_F(Performing, InterruptedIsNotPassed) {
  swarm_.interrupt();
  const ActResult result = perform_one("kill 1");
  EXPECT_FALSE(result.passed);
  EXPECT_EQ(result.verdict, "interrupted");
}

}  // namespace
}  // namespace starling::agent::swarm
