// Gossip ticks (protocol/memberlist section 14).
#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

TEST(SwimGossip, SendsAnUpdateAsOftenAsTheLimitSays) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  LoneNode node(options);
  node.receive_message(Peer{.name = "a", .host = 2}.alive(1));
  node.receive_message(Peer{.name = "b", .host = 3}.alive(1));
  std::size_t about_a = 0;
  node.advance(10s);
  for (const ByteVector& message : node.take_messages(MessageType::alive)) {
    Scratch scratch;
    about_a += decode_alive(body_of(message), scratch)->node == "a";
  }
  EXPECT_EQ(about_a, 4u) << "4 * ceil(log10(3 + 1))";
  EXPECT_EQ(node.stats().membership_queue, 0u);
}

TEST(SwimGossip, GoesToTheDeadOnlyForAWhile) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  LoneNode node(options);
  const Peer a{.name = "a", .host = 2};
  node.receive_message(a.alive(1));
  node.receive_message(dead("a", 1, "b"));
  node.advance(5s);
  EXPECT_FALSE(node.take_packets().empty()) << "the recently dead hear of it";
  node.advance(40s);
  node.take_packets();
  node.receive_message(suspect("me", 1, "b"));  // something new to say
  node.advance(5s);
  EXPECT_TRUE(node.take_packets().empty()) << "the long dead do not";
}

}  // namespace
}  // namespace starling::test
