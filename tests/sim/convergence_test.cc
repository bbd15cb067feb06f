#include "sim/convergence.h"

#include <gtest/gtest.h>

namespace starling::sim {
namespace {

// Rows are made by forged events, so that the judge is tested without a cluster's help.
class ConvergenceTest : public testing::Test {
 protected:
  ConvergenceTest() {
    world_.start(NodeId{0});
    world_.start(NodeId{1});
  }
  void show(NodeId observer, NodeId subject, MemberEventKind change, MemberStatus status) {
    Event event;
    event.kind = Event::Kind::member;
    event.change = change;
    event.status = status;
    event.endpoint = endpoint_of(subject);
    event.payload = as_bytes(world_.checkers().serf().meta(subject));
    world_.checkers().serf().on_member(world_.now(), observer, subject, event);
  }
  void all_alive() {
    for (const NodeId observer : {NodeId{0}, NodeId{1}}) {
      for (const NodeId subject : {NodeId{0}, NodeId{1}}) {
        show(observer, subject, MemberEventKind::join, MemberStatus::alive);
      }
    }
  }

  World world_{{.seed = 1, .nodes = 2, .swim = {}, .serf = {}, .label = {}}};
};

TEST_F(ConvergenceTest, EverybodyMustShowEverybody) {
  EXPECT_TRUE(disagreement(world_).has_value());
  all_alive();
  EXPECT_EQ(disagreement(world_), std::nullopt);
  show(NodeId{1}, NodeId{0}, MemberEventKind::failed, MemberStatus::failed);
  EXPECT_EQ(disagreement(world_), "n001 about n000: not shown as alive");
}

TEST_F(ConvergenceTest, NobodyMayShowTheGone) {
  all_alive();
  world_.stop(NodeId{1}, false);
  EXPECT_EQ(disagreement(world_), "n000 about n001: shown as there, but it is gone");
  EXPECT_FALSE(all_show(world_, NodeId{1}, MemberStatus::failed));
  show(NodeId{0}, NodeId{1}, MemberEventKind::failed, MemberStatus::failed);
  EXPECT_EQ(disagreement(world_), std::nullopt);
  EXPECT_TRUE(all_show(world_, NodeId{1}, MemberStatus::failed));
}

TEST_F(ConvergenceTest, ASuspicionStillRunningIsNotSettled) {
  all_alive();
  EXPECT_TRUE(settled(world_));
  Event event;
  event.kind = Event::Kind::trace;
  event.number = 1;
  event.trace = TraceKind::member_alive;
  world_.checkers().swim().on_trace(world_.now(), NodeId{0}, NodeId{1}, event);
  EXPECT_TRUE(settled(world_));
  event.trace = TraceKind::suspect_started;
  event.from = "n000";
  world_.checkers().swim().on_trace(world_.now(), NodeId{0}, NodeId{1}, event);
  EXPECT_FALSE(settled(world_));
  EXPECT_EQ(disagreement(world_), std::nullopt);
}

TEST_F(ConvergenceTest, MetadataMustBeTheNewest) {
  all_alive();
  ASSERT_TRUE(world_.set_meta(NodeId{1}));
  EXPECT_EQ(disagreement(world_), "n000 about n001: old metadata");
  show(NodeId{0}, NodeId{1}, MemberEventKind::update, MemberStatus::alive);
  show(NodeId{1}, NodeId{1}, MemberEventKind::update, MemberStatus::alive);
  EXPECT_EQ(disagreement(world_), std::nullopt);
}

}  // namespace
}  // namespace starling::sim
