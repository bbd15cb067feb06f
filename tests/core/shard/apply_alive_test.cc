// Alive messages and refutations (protocol/memberlist sections 7.1, 10.2 and 10.5).
#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

TEST(SwimAlive, AddsAMemberOnceAndGossipsIt) {
  LoneNode node = node_named("me");
  const Peer peer{.name = "peer"};
  node.receive_message(peer.alive(1));
  node.receive_message(peer.alive(1));
  EXPECT_EQ(member_events(node, MemberEventKind::join, "peer"), 1u);
  EXPECT_EQ(node.stats().nodes, 2u);
  EXPECT_EQ(gossiped_incarnation(node, "peer"), 1u);
}

TEST(SwimAlive, IgnoresVersionsThatWouldPoisonTheCluster) {
  LoneNode node = node_named("me");
  const Peer peer{.name = "peer"};
  Alive alive = peer.alive(1);
  alive.versions = Bytes(sane_versions).first(3);
  node.receive_message(alive);
  alive.versions = {};
  node.receive_message(alive);
  const std::array<std::byte, 6> crossed = write_versions({.protocol_min = 3, .protocol_max = 2});
  alive.versions = crossed;
  node.receive_message(alive);
  EXPECT_EQ(node.stats().nodes, 1u);
}

TEST(SwimAlive, ReportsChangedMetadataOnce) {
  LoneNode node = node_named("me");
  const Peer peer{.name = "peer"};
  node.receive_message(peer.alive(1));
  node.receive_message(peer.alive(1, as_bytes("x")));
  EXPECT_EQ(member_events(node, MemberEventKind::update, "peer"), 0u) << "the same incarnation";
  node.receive_message(peer.alive(2, as_bytes("x")));
  node.receive_message(peer.alive(3, as_bytes("x")));
  EXPECT_EQ(member_events(node, MemberEventKind::update, "peer"), 1u);
}

TEST(SwimAlive, RefusesAKnownNameAtAnotherAddress) {
  LoneNode node = node_named("me");
  node.receive_message(Peer{.name = "peer", .host = 2}.alive(1));
  node.receive_message(Peer{.name = "peer", .host = 3}.alive(9));
  EXPECT_EQ(node.stats().counters.conflicts, 1u);
  // The same address in the other length is another address, too.
  std::array<std::byte, 16> mapped{};
  mapped[10] = mapped[11] = std::byte{0xff};
  mapped[12] = std::byte{127};
  mapped[15] = std::byte{2};
  Alive alive = Peer{.name = "peer"}.alive(9);
  alive.address = mapped;
  node.receive_message(alive);
  EXPECT_EQ(node.stats().counters.conflicts, 2u);
}

TEST(SwimAlive, TakesALeftNameBackAtANewAddress) {
  LoneNode node = node_named("me");
  node.receive_message(Peer{.name = "peer", .host = 2}.alive(5));
  node.receive_message(dead("peer", 5, "peer"));
  node.receive_message(Peer{.name = "peer", .host = 3}.alive(1));
  EXPECT_EQ(node.stats().counters.conflicts, 0u);
  EXPECT_EQ(node.stats().members_alive, 2u);
}

TEST(SwimAlive, RefusesMembersBeyondItsCapacity) {
  EngineOptions options = LoneNode::options_named("me");
  options.capacity.members_max = 3;
  LoneNode node(options);
  node.receive_message(Peer{.name = "a", .host = 2}.alive(1));
  node.receive_message(Peer{.name = "b", .host = 3}.alive(1));
  node.receive_message(Peer{.name = "c", .host = 4}.alive(1));
  EXPECT_EQ(node.stats().nodes, 3u);
  EXPECT_EQ(node.stats().counters.members_refused, 1u);
}

TEST(SwimRefute, AnswersEveryAccusationWithAHigherIncarnation) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = Duration::zero();
  LoneNode node(options);
  node.receive_message(Peer{.name = "peer"}.alive(1));
  node.receive_message(suspect("me", 1, "peer"));
  EXPECT_EQ(gossiped_incarnation(node, "me"), 2u);
  node.receive_message(suspect("me", 100, "peer"));
  EXPECT_EQ(gossiped_incarnation(node, "me"), 101u);
  node.receive_message(dead("me", 101, "peer"));
  EXPECT_EQ(gossiped_incarnation(node, "me"), 102u);
  node.receive_message(suspect("me", 50, "peer"));
  EXPECT_EQ(node.stats().incarnation, 102u) << "an older accusation";
  EXPECT_EQ(node.stats().health_score, 3u);
}

TEST(SwimRefute, AnswersAnAliveAboutItselfThatItDidNotSend) {
  LoneNode node = node_named("me");
  const Peer self{.name = "me", .host = 1};
  node.receive_message(self.alive(1));
  EXPECT_EQ(node.stats().incarnation, 1u) << "our own words";
  node.receive_message(self.alive(4));
  EXPECT_EQ(node.stats().incarnation, 5u) << "higher, though equal";
  node.receive_message(self.alive(5, as_bytes("other")));
  EXPECT_EQ(node.stats().incarnation, 6u);
}

}  // namespace
}  // namespace starling::test
