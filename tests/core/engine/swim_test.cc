// memberlist's rules as a node shows them on the wire (protocol/memberlist sections 6, 10, 14, 16).
#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

LoneNode node_named(std::string name) {
  return LoneNode(LoneNode::options_named(std::move(name)));
}

// The newest alive message about `name` among what the node gossips; its incarnation, or 0.
std::uint32_t gossiped_incarnation(LoneNode& node, std::string_view name) {
  std::uint32_t newest = 0;
  node.advance(1s);
  for (const ByteVector& message : node.take_messages(MessageType::alive)) {
    Scratch scratch;
    const auto alive = decode_alive(body_of(message), scratch);
    if (alive && alive->node == name) newest = std::max(newest, to_number(alive->incarnation));
  }
  return newest;
}

std::size_t member_events(LoneNode& node, MemberEventKind kind, std::string_view name) {
  std::size_t count = 0;
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind == Event::Kind::member && kept.event.change == kind && kept.name == name) {
      ++count;
    }
  }
  return count;
}

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

TEST(SwimPing, AnswersItsOwnNameAndNoName) {
  LoneNode node = node_named("me");
  node.receive_message(Ping{.sequence = SequenceNumber{7}, .node = "me"});
  node.receive_message(Ping{.sequence = SequenceNumber{8}, .node = ""});
  node.receive_message(Ping{.sequence = SequenceNumber{9}, .node = "other"});
  const std::vector<SentPacket> sent = node.take_packets();
  ASSERT_EQ(sent.size(), 2u);
  for (const SentPacket& packet : sent) {
    EXPECT_EQ(packet.to, (Endpoint{IpAddress::v4(127, 0, 0, 9), 7946})) << "the datagram's source";
  }
  Scratch scratch;
  EXPECT_EQ(to_number(decode_ack(body_of(sent[0].messages[0]), scratch)->sequence), 7u);
  EXPECT_EQ(to_number(decode_ack(body_of(sent[1].messages[0]), scratch)->sequence), 8u);
}

TEST(SwimPing, AnswersToTheSourceThatThePingNames) {
  LoneNode node = node_named("me");
  const Peer peer{.name = "peer", .host = 3};
  node.receive_message(
      Ping{.sequence = SequenceNumber{1},
           .node = "me",
           .source = {.address = peer.address.bytes(), .port = 1234, .node = "peer"}});
  const std::vector<SentPacket> sent = node.take_packets();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, (Endpoint{peer.address, 1234}));
}

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

TEST(SwimSuspicion, ShortensWithEveryIndependentAccuser) {
  for (const std::size_t accusers : {1u, 2u, 3u}) {
    LoneNode node = node_named("me");
    for (std::uint8_t host = 2; host < 7; ++host) {
      const std::string name(1, static_cast<char>('a' + host));
      node.receive_message(Peer{.name = name, .host = host}.alive(1));
    }
    const char* const names[] = {"d", "e", "f"};
    for (std::size_t i = 0; i < accusers; ++i) {
      node.receive_message(suspect("c", 1, names[i]));
      node.receive_message(suspect("c", 1, names[i]));  // the same accuser counts once
    }
    node.take_events();
    Duration waited{};
    const Duration step = 10ms;
    bool declared = false;
    while (!declared && waited < 60s) {
      node.advance(step);
      waited += step;
      // Everybody answers our own probes, so that we do not become an accuser ourselves.
      for (const ByteVector& message : node.take_messages(MessageType::ping)) {
        Scratch scratch;
        const auto ping = decode_ping(body_of(message), scratch);
        node.receive_message(Ack{.sequence = ping->sequence, .payload = {}});
      }
      for (const KeptEvent& kept : node.take_events()) {
        declared |= kept.event.kind == Event::Kind::trace &&
                    kept.event.trace == TraceKind::suspect_timed_out && kept.name == "c";
      }
    }
    // n = 6: min 4 s, max 24 s, k = 2 (section 13's example, plus one tick).
    const Duration expected[] = {24s, 11'381ms, 4s};
    EXPECT_NEAR(static_cast<double>(waited.count()),
                static_cast<double>(expected[accusers - 1].count()), 25e6)
        << accusers << " accusers";
  }
}

TEST(SwimDead, TellsLeftFromDead) {
  LoneNode node = node_named("me");
  node.receive_message(Peer{.name = "a", .host = 2}.alive(1));
  node.receive_message(Peer{.name = "b", .host = 3}.alive(1));
  node.take_events();
  node.receive_message(dead("a", 1, "a"));
  node.receive_message(dead("b", 1, "a"));
  std::vector<TraceKind> traces;
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind == Event::Kind::trace) traces.push_back(kept.event.trace);
  }
  EXPECT_EQ(traces, (std::vector{TraceKind::member_left, TraceKind::member_dead}));
  node.receive_message(Peer{.name = "b", .host = 3}.alive(1));
  EXPECT_EQ(node.stats().members_alive, 1u) << "dead stays dead at the same incarnation";
  node.receive_message(Peer{.name = "b", .host = 3}.alive(2));
  EXPECT_EQ(node.stats().members_alive, 2u);
}

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

TEST(SwimLimits, RefusesOptionsThatCannotRun) {
  EngineOptions options = LoneNode::options_named("");
  EXPECT_TRUE(problem_with(options).has_value());
  options = LoneNode::options_named("me");
  EXPECT_EQ(problem_with(options), std::nullopt);
  options.meta.assign(513, 'x');
  EXPECT_EQ(problem_with(options), "Encoded length of tags exceeds limit of 512 bytes");
  options.meta.clear();
  options.serf.user_event_bytes_max = 9217;
  EXPECT_EQ(problem_with(options), "user event size limit exceeds limit of 9216 bytes");
}

}  // namespace
}  // namespace starling::test
