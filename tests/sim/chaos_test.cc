#include "sim/chaos.h"

#include <gtest/gtest.h>

#include <set>

namespace starling::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ChaosTest : public testing::Test {
 protected:
  ChaosTest() {
    for (const NodeId node : world_.all_nodes()) world_.start(node);
    world_.run_until(world_.now() + seconds(2));
  }
  Fault fault(FaultKind kind, Duration begin, Duration end) {
    Fault fault;
    fault.kind = kind;
    fault.begin = begin;
    fault.end = end;
    fault.node = NodeId{1};
    fault.other = NodeId{2};
    return fault;
  }
  void run(Duration time) { world_.run_until(world_.now() + time); }

  World world_{{.seed = 1, .nodes = 3, .swim = {}, .serf = {}, .label = {}}};
  Questions questions_{world_, Random(7)};
};

TEST_F(ChaosTest, ProbabilitiesOfOverlappingEpisodesCombine) {
  FaultPlan plan;
  plan.faults.push_back(fault(FaultKind::loss, seconds(1), seconds(4)));
  plan.faults.push_back(fault(FaultKind::loss, seconds(2), seconds(3)));
  plan.faults[0].amount = plan.faults[1].amount = 0.5;
  Chaos chaos(world_, questions_, plan);
  const NetworkConditions& conditions = world_.network().conditions();
  run(milliseconds(1500));
  EXPECT_DOUBLE_EQ(conditions.loss, 0.5);
  run(seconds(1));
  EXPECT_DOUBLE_EQ(conditions.loss, 0.75);
  run(seconds(1));
  EXPECT_DOUBLE_EQ(conditions.loss, 0.5);
  run(seconds(1));
  EXPECT_DOUBLE_EQ(conditions.loss, 0);
}

TEST_F(ChaosTest, ACrashEndsWithARestart) {
  FaultPlan plan;
  plan.faults.push_back(fault(FaultKind::crash, seconds(1), seconds(3)));
  Chaos chaos(world_, questions_, plan);
  run(seconds(2));
  EXPECT_FALSE(world_.running(NodeId{1}));
  run(seconds(2));
  EXPECT_TRUE(world_.running(NodeId{1}));
  EXPECT_EQ(world_.life(NodeId{1}), 2U);
  EXPECT_EQ(world_.report()[Count::crashes], 1U);
  EXPECT_EQ(world_.report()[Count::restarts], 1U);
}

TEST_F(ChaosTest, CalmEndsEverything) {
  FaultPlan plan;
  plan.faults.push_back(fault(FaultKind::loss, seconds(1), seconds(60)));
  plan.faults[0].amount = 0.3;
  plan.faults.push_back(fault(FaultKind::power_loss, seconds(1), seconds(60)));
  plan.faults.push_back(fault(FaultKind::one_way, seconds(1), seconds(60)));
  plan.faults.push_back(fault(FaultKind::pause, seconds(1), seconds(60)));
  plan.faults.back().node = NodeId{2};
  plan.faults.push_back(fault(FaultKind::partition, seconds(1), seconds(60)));
  plan.faults.back().group_of_node = {0, 1, 0};
  Chaos chaos(world_, questions_, plan);
  run(seconds(2));
  EXPECT_TRUE(world_.links().dark(NodeId{1}));
  EXPECT_TRUE(world_.paused(NodeId{2}));
  EXPECT_TRUE(world_.links().parted(NodeId{0}, NodeId{1}));
  chaos.calm();
  EXPECT_EQ(world_.network().conditions().loss, 0);
  for (const NodeId from : world_.all_nodes()) {
    EXPECT_TRUE(world_.running(from));
    EXPECT_FALSE(world_.paused(from));
    for (const NodeId to : world_.all_nodes()) EXPECT_TRUE(world_.links().open(from, to));
  }
  run(seconds(70));  // the plan's own ends must do no harm
  EXPECT_TRUE(world_.running(NodeId{1}));
  EXPECT_EQ(world_.life(NodeId{1}), 2U);
}

TEST_F(ChaosTest, RemembersWhoShouldGetAUserEvent) {
  FaultPlan plan;
  plan.faults.push_back(fault(FaultKind::user_event, seconds(2), seconds(2)));
  plan.faults.push_back(fault(FaultKind::crash, seconds(1), seconds(10)));
  plan.faults.back().node = NodeId{2};
  Chaos chaos(world_, questions_, plan);
  run(seconds(3));
  ASSERT_EQ(chaos.sent_events().size(), 1U);
  EXPECT_EQ(chaos.sent_events()[0].sender, NodeId{1});
  EXPECT_EQ(chaos.sent_events()[0].lives, (std::vector<std::uint32_t>{1, 1, 0}));
}

TEST_F(ChaosTest, AQueryIsAskedAndItsAnswersCome) {
  FaultPlan plan;
  plan.faults.push_back(fault(FaultKind::query, seconds(1), seconds(1)));
  Chaos chaos(world_, questions_, plan);
  const QueryChecker& queries = world_.checkers().queries();
  run(seconds(30));
  ASSERT_NE(queries.question("chaos-query-0"), nullptr);
  EXPECT_TRUE(queries.is_over("chaos-query-0"));
  EXPECT_EQ(queries.heard_by("chaos-query-0"), 3U);
}

TEST(Chaos, DrawsQueriesOfEveryKind) {
  bool everybody = false, by_names = false, by_tag = false, without_acks = false;
  std::set<std::uint8_t> relays;
  std::set<Duration> timeouts;
  Random random(3);
  for (int i = 0; i < 200; ++i) {
    Fault fault{.kind = FaultKind::query, .node = NodeId{1}, .other = NodeId{2}};
    fault.amount = random.unit();
    const Question question = question_of(fault, 1);
    everybody |= question.is_for(NodeId{0});
    by_names |= question.is_for(NodeId{1}) && !question.is_for(NodeId{0});
    by_tag |= question.tagged == NodeId{2} && !question.is_for(NodeId{1});
    without_acks |= !question.want_acks;
    relays.insert(question.relay_factor);
    timeouts.insert(question.timeout);
  }
  EXPECT_TRUE(everybody && by_names && by_tag && without_acks);
  EXPECT_EQ(relays.size(), 4U);
  EXPECT_EQ(timeouts.size(), 4U);
}

}  // namespace
}  // namespace starling::sim
