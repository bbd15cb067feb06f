// The order in which broadcasts leave (protocol/memberlist 14.2, protocol/serf 5), and who waits.
#include "core/shard/broadcast.h"

#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

TEST(Broadcasts, MembershipGoesBeforeIntentsBeforeQueriesBeforeEvents) {
  LoneNode node = quiet_node();
  node.receive(user_datagram(UserEvent{.time = LamportTime{1}, .name = "event", .payload = {}}));
  std::array<std::byte, 512> room;
  Writer query(room);
  query.u8(8);
  encode(Query{.time = LamportTime{1}, .id = 1, .name = "query"}, query,
         SignedStyle::unsigned_form);
  node.receive(query.written());
  node.receive(user_datagram(JoinIntent{.time = LamportTime{1}, .node = "stranger"}));
  node.receive_message(Peer{.name = "peer"}.alive(1));
  node.take_packets();
  node.advance(200ms);
  const std::vector<SentPacket> sent = node.take_packets();
  ASSERT_FALSE(sent.empty());
  std::string order;
  for (const ByteVector& message : sent[0].messages) {
    order +=
        message[0] == std::byte{8} ? static_cast<char>('a' + static_cast<int>(message[1])) : 'M';
  }
  // b: join intent (1), e: query (4), d: user event (3).
  EXPECT_TRUE(order.ends_with("bed")) << order;
  EXPECT_EQ(order.find_last_of('M') + 3, order.size() - 1) << order;
}

TEST(Broadcasts, TransmitLimitsFollowTheMemberCount) {
  LoneNode node = quiet_node();
  node.receive_message(Peer{.name = "peer"}.alive(1));
  node.advance(5s);
  node.take_packets();
  node.command({.kind = Command::Kind::user_event, .token = 1, .name = "x"});
  EXPECT_EQ(gossiped(node, SerfType::user_event, 5s).size(), 4u);
  for (std::uint8_t host = 3; host < 14; ++host) {
    const std::string name = "m" + std::to_string(host);
    node.receive_message(Peer{.name = name, .host = host}.alive(1));
  }
  node.command({.kind = Command::Kind::user_event, .token = 2, .name = "y"});
  EXPECT_EQ(gossiped(node, SerfType::user_event, 5s).size(), 8u)
      << "13 members: ceil(log10 14) = 2";
}

TEST(Broadcasts, AWaitEndsWhenItsMessageCannotBeSentInTime) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  options.swim.gossip_interval = Duration::zero();  // nothing is ever sent
  LoneNode node(options);
  node.receive_message(Peer{.name = "peer"}.alive(1));
  node.command({.kind = Command::Kind::set_meta, .token = 4, .payload = as_bytes("x")});
  node.advance(4900ms);
  EXPECT_TRUE(finished(node).empty());
  node.advance(200ms);
  EXPECT_EQ(finished(node), (std::vector<Done>{{4, CommandResult::broadcast_timeout, ""}}));
}

}  // namespace
}  // namespace starling::test
