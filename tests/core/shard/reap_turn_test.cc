// Reaping and reconnecting (protocol/serf section 8).
#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

TEST(SerfReap, ForgetsFailedMembersAfterTheReconnectTimeout) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  options.serf.reconnect_timeout = 60s;
  options.serf.reconnect_interval = Duration::zero();
  LoneNode node(options);
  node.receive_message(Peer{.name = "a"}.alive(1));
  node.receive_message(dead("a", 1, "b"));
  node.take_events();
  node.advance(60s);
  EXPECT_EQ(node.stats().members_failed, 1u);
  node.advance(16s);
  EXPECT_EQ(node.stats().members_failed, 0u);
  EXPECT_EQ(member_changes(node, "a"), (std::vector<std::string>{"member-reap"}));
}

TEST(SerfReconnect, TriesAFailedMemberAgain) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  LoneNode node(options);
  const Peer a{.name = "a"};
  node.receive_message(a.alive(1));
  node.receive_message(dead("a", 1, "b"));
  node.advance(31s);
  const std::vector<StreamOp> ops = node.take_stream_ops();
  ASSERT_FALSE(ops.empty());
  EXPECT_EQ(ops[0].kind, StreamOp::Kind::connect);
  EXPECT_EQ(ops[0].to, a.endpoint());
}

}  // namespace
}  // namespace starling::test
