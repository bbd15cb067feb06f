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

std::string reason_of_conflict(LoneNode& node) {
  std::string reason;
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind != Event::Kind::trace) continue;
    if (kept.event.trace == TraceKind::conflict) reason = kept.text;
  }
  return reason;
}

TEST(SwimAlive, SaysWhyANameMayNotMove) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.gossip_to_the_dead_time = 300s;
  for (const bool reclaim : {false, true}) {
    options.swim.dead_node_reclaim_time = reclaim ? 60s : Duration::zero();
    LoneNode node(options);
    const Peer moved{.name = "peer", .host = 3};
    node.receive_message(Peer{.name = "peer", .host = 2}.alive(1));
    node.receive_message(moved.alive(2));
    EXPECT_EQ(reason_of_conflict(node), "the member is alive at the old address");
    node.receive_message(dead("peer", 1, "somebody"));
    node.receive_message(moved.alive(2));
    EXPECT_EQ(reason_of_conflict(node),
              reclaim
                  ? "the member has failed more recently than dead_node_reclaim_time"
                  : "the member has failed and not left: it may move once the dead are forgotten");
    node.receive_message(Peer{.name = "me", .host = 3}.alive(7));
    EXPECT_EQ(reason_of_conflict(node), "the name is ours");
    node.advance(61s);
    node.take_events();
    node.receive_message(moved.alive(2));
    EXPECT_EQ(node.stats().members_alive, reclaim ? 2u : 1u) << "accepted once the time is over";
  }
}

// A new life begins above the last one, so what is remembered of that one does not count.
TEST(SwimAlive, BeginsAboveAnEarlierLife) {
  EngineOptions options = LoneNode::options_named("me");
  options.earlier_incarnation = Incarnation{64};
  LoneNode node(options);
  EXPECT_EQ(node.stats().incarnation, 65u);
  node.receive_message(dead("me", 64, "somebody"));
  EXPECT_EQ(node.stats().counters.refutations, 0u);
  node.receive_message(dead("me", 65, "somebody"));
  EXPECT_EQ(node.stats().incarnation, 66u);
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

std::size_t traces_about_room(LoneNode& node) {
  std::size_t count = 0;
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind != Event::Kind::trace) continue;
    if (kept.event.trace != TraceKind::alive_ignored) continue;
    count += kept.text.contains("full") || kept.text.contains("no room") ? 1 : 0;
  }
  return count;
}

Peer numbered(const std::string& name, std::uint32_t number) {
  return {.name = name,
          .address = IpAddress::v4(10, 0, static_cast<std::uint8_t>(number >> 8),
                                   static_cast<std::uint8_t>(number))};
}

TEST(SwimAlive, AFullTableRefusesCountsSaysSoOnceAndGoesOn) {
  EngineOptions options = LoneNode::options_named("me");
  options.capacity.members_max = 8;
  options.swim.gossip_to_the_dead_time = 2s;
  options.serf.reconnect_timeout = 5s;
  options.serf.reconnect_interval = Duration::zero();
  options.serf.reap_interval = 1s;
  LoneNode node(options);
  for (std::uint32_t i = 0; i < 500; ++i) {
    const std::string name = "node-" + std::to_string(i);
    node.receive_message(numbered(name, i).alive(1));
  }
  EXPECT_EQ(node.stats().nodes, 8u);
  EXPECT_EQ(node.stats().counters.members_refused, 500u - 7);
  EXPECT_EQ(traces_about_room(node), 1u);
  // Those who are in live on, and a row that goes is taken again; then it is told once more.
  node.receive_message(numbered("node-3", 3).alive(2));
  EXPECT_EQ(gossiped_incarnation(node, "node-3"), 2u);
  node.receive_message(dead("node-3", 2, "node-1"));
  node.take_events();
  // Both layers have to forget it.
  for (int second = 0; second < 60 && node.stats().members == 8; ++second) node.advance(1s);
  ASSERT_LT(node.stats().members, 8u);
  ASSERT_LT(node.stats().nodes, 8u);
  node.take_events();
  for (std::uint32_t i = 100; i < 200; ++i) {
    const std::string name = "late-" + std::to_string(i);
    node.receive_message(numbered(name, i).alive(1));
  }
  EXPECT_EQ(node.stats().nodes, 8u);
  EXPECT_EQ(traces_about_room(node), 1u);
}

TEST(SwimAlive, LongNamesFillTheSlabBeforeTheRows) {
  EngineOptions options = LoneNode::options_named("me");
  options.capacity.members_max = 1000;
  options.capacity.member_slab_bytes = 20'000;
  LoneNode node(options);
  for (std::uint32_t i = 0; i < 1000; ++i) {
    std::string name = std::to_string(i);
    name.resize(1 + i % 255, 'x');  // every length, and some names again
    node.receive_message(numbered(name, i).alive(1));
  }
  const Stats stats = node.stats();
  EXPECT_LT(stats.nodes, 1000u);
  EXPECT_GT(stats.nodes, 50u);
  EXPECT_GT(stats.counters.members_refused, 0u);
  EXPECT_EQ(traces_about_room(node), 1u);
}

TEST(SwimAlive, AMemberWhoseMetadataFindsNoRoomIsKnownWithoutIt) {
  EngineOptions options = LoneNode::options_named("me");
  options.capacity.members_max = 1000;
  options.capacity.member_slab_bytes = 40'000;
  LoneNode node(options);
  for (std::uint32_t i = 0; i < 500; ++i) {
    std::string meta = "tags of " + std::to_string(i);
    meta.resize(400, '.');
    node.receive_message(numbered("n" + std::to_string(i), i).alive(1, as_bytes(meta)));
  }
  const Stats stats = node.stats();
  EXPECT_EQ(stats.nodes, 501u);
  EXPECT_GT(stats.counters.metas_refused, 400u);
  EXPECT_EQ(stats.counters.members_refused, 0u);
  EXPECT_EQ(traces_about_room(node), 1u);
}

// Metadata that many share takes the room of one.
TEST(SwimAlive, MetadataInCommonTakesTheRoomOfOne) {
  EngineOptions options = LoneNode::options_named("me");
  options.capacity.members_max = 1000;
  options.capacity.member_slab_bytes = 40'000;
  LoneNode node(options);
  const std::string meta(400, '.');
  for (std::uint32_t i = 0; i < 900; ++i) {
    node.receive_message(numbered("n" + std::to_string(i), i).alive(1, as_bytes(meta)));
  }
  EXPECT_EQ(node.stats().nodes, 901u);
  EXPECT_EQ(node.stats().counters.metas_refused, 0u);
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
