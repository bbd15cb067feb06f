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

Peer numbered(const std::string& name, std::uint32_t number) {
  return {.name = name,
          .address = IpAddress::v4(10, 0, static_cast<std::uint8_t>(number >> 8),
                                   static_cast<std::uint8_t>(number))};
}

// memberlist waits for the end of a round of probes, here a hundred seconds; with rows to spare so
// do we. A table that is nearly full drops the dead as soon as they may go.
TEST(SwimReap, ATableShortOfRowsForgetsTheDeadBeforeTheRoundEnds) {
  for (const bool crowded : {false, true}) {
    EngineOptions options = LoneNode::options_named("me");
    options.capacity.members_max = crowded ? 104 : 1000;
    options.swim.push_pull_interval = Duration::zero();
    options.swim.gossip_to_the_dead_time = 5s;
    LoneNode node(options);
    for (std::uint32_t i = 0; i < 100; ++i) {
      const std::string name = "n" + std::to_string(i);
      node.receive_message(numbered(name, i).alive(1));
      if (i >= 50) node.receive_message(dead(name, 1, "n1"));
    }
    EXPECT_EQ(node.stats().nodes, 101u);
    node.advance(4s);
    EXPECT_EQ(node.stats().nodes, 101u);
    node.advance(3s);
    EXPECT_EQ(node.stats().nodes, crowded ? 51u : 101u);
  }
}

// Above some thousands a sweep takes several probe ticks; nobody alive is lost in it.
TEST(SwimReap, ALongListIsSweptInPortions) {
  EngineOptions options = LoneNode::options_named("me");
  options.capacity.members_max = 10'300;
  options.capacity.event_ring_bytes = 64 << 20;
  options.swim.push_pull_interval = Duration::zero();
  options.swim.gossip_to_the_dead_time = 1s;
  LoneNode node(options);
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const std::string name = "n" + std::to_string(i);
    node.receive_message(numbered(name, i).alive(1));
    if (i % 2 == 0) node.receive_message(dead(name, 1, "n1"));
  }
  node.take_events();
  node.advance(1900ms);
  const std::uint32_t after_one = node.stats().nodes;
  EXPECT_LE(after_one, 10'001u);
  node.advance(1s);
  const std::uint32_t after_two = node.stats().nodes;
  EXPECT_GT(after_two, 5001u) << "a portion, not all at once";
  EXPECT_LT(after_two, 10'001u);
  node.take_events();
  node.advance(6s);  // and a further sweep for those who were too fresh for the first
  EXPECT_EQ(node.stats().nodes, 5001u);
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
