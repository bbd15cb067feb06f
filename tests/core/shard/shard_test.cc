// A turn as a whole: the start of a node.
#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

TEST(SwimStart, ReportsItselfAsJoined) {
  LoneNode node = node_named("me");
  node.turn();
  EXPECT_EQ(member_events(node, MemberEventKind::join, "me"), 1u);
  const Stats stats = node.stats();
  EXPECT_EQ(stats.nodes, 1u);
  EXPECT_EQ(stats.members, 1u);
  EXPECT_EQ(stats.incarnation, 1u);
  EXPECT_EQ(stats.member_time, 1u);
}

}  // namespace
}  // namespace starling::test
