// One probe from its tick to its end (protocol/memberlist sections 6.2-6.4, 11 and 12).
#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

const Peer target{.name = "target", .host = 2};
const Peer helper{.name = "helper", .host = 3};

// A node whose only peers are `target` and (optionally) `helper`, quiet but for its probes.
LoneNode prober(bool with_helper, EngineOptions options = LoneNode::options_named("me")) {
  options.swim.gossip_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  LoneNode node(options);
  node.receive_message(target.alive(1));
  if (with_helper) node.receive_message(helper.alive(1));
  node.take_packets();
  node.take_events();
  return node;
}

// Lets time pass, answering every ping of `helper`, until `target` is pinged.
SequenceNumber wait_for_ping_of_target(LoneNode& node) {
  for (int i = 0; i < 10'000; ++i) {
    node.advance(1ms);
    for (const ByteVector& message : node.take_messages(MessageType::ping)) {
      Scratch scratch;
      const auto ping = decode_ping(body_of(message), scratch);
      if (ping->node == "target") return ping->sequence;
      node.receive_message(Ack{.sequence = ping->sequence, .payload = {}});
    }
  }
  ADD_FAILURE() << "the target is not probed";
  return {};
}

bool traced(LoneNode& node, TraceKind kind, std::string_view name) {
  bool found = false;
  for (const KeptEvent& kept : node.take_events()) {
    found |= kept.event.kind == Event::Kind::trace && kept.event.trace == kind && kept.name == name;
  }
  return found;
}

TEST(Probe, FirstPingComesOneIntervalAfterTheStart) {
  LoneNode node = prober(false);
  node.advance(999ms);
  EXPECT_TRUE(node.take_messages(MessageType::ping).empty());
  node.advance(1ms);
  const std::vector<ByteVector> pings = node.take_messages(MessageType::ping);
  ASSERT_EQ(pings.size(), 1u);
  Scratch scratch;
  const auto ping = decode_ping(body_of(pings[0]), scratch);
  EXPECT_EQ(to_number(ping->sequence), 1u);
  EXPECT_EQ(ping->node, "target");
  EXPECT_EQ(ping->source.node, "me");
  EXPECT_EQ(ping->source.port, 7946);
}

TEST(Probe, AnAckEndsItAndLowersTheHealthScore) {
  LoneNode node = prober(false);
  node.receive_message(suspect("me", 1, "target"));
  EXPECT_EQ(node.stats().health_score, 1u);
  const SequenceNumber sequence = wait_for_ping_of_target(node);
  node.receive_message(Ack{.sequence = sequence, .payload = {}});
  EXPECT_EQ(node.stats().health_score, 0u);
  EXPECT_TRUE(traced(node, TraceKind::probe_acked, "target"));
  node.receive_message(Ack{.sequence = sequence, .payload = {}});
  EXPECT_EQ(node.stats().counters.acks_unmatched, 1u) << "the first ack has used it up";
}

TEST(Probe, ItsTimeIsAddedUpHoweverItEnds) {
  LoneNode node = prober(false);
  const SequenceNumber sequence = wait_for_ping_of_target(node);
  node.advance(30ms);
  node.receive_message(Ack{.sequence = sequence, .payload = {}});
  EXPECT_EQ(node.stats().counters.probes_ended, 1u);
  EXPECT_EQ(node.stats().counters.probe_nanoseconds, 30'000'000u);
  wait_for_ping_of_target(node);
  node.advance(1s);
  EXPECT_EQ(node.stats().counters.probes_ended, 2u);
  EXPECT_EQ(node.stats().counters.probe_nanoseconds, 1'030'000'000u);
}

TEST(Probe, AsksOthersAndDialsWhenNoAckComes) {
  LoneNode node = prober(true);
  const SequenceNumber sequence = wait_for_ping_of_target(node);
  node.advance(499ms);
  EXPECT_TRUE(node.take_messages(MessageType::indirect_ping).empty());
  node.advance(1ms);
  const std::vector<SentPacket> sent = node.take_packets();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, helper.endpoint());
  Scratch scratch;
  const auto indirect = decode_indirect_ping(body_of(sent[0].messages[0]), scratch);
  EXPECT_EQ(indirect->sequence, sequence);
  EXPECT_EQ(indirect->node, "target");
  EXPECT_EQ(IpAddress(indirect->target), target.address);
  EXPECT_EQ(indirect->port, 7946);
  EXPECT_TRUE(indirect->nack) << "the helper speaks version 4 or later";
  const std::vector<StreamOp> ops = node.take_stream_ops();
  ASSERT_EQ(ops.size(), 1u);
  EXPECT_EQ(ops[0].kind, StreamOp::Kind::connect);
  EXPECT_EQ(ops[0].to, target.endpoint());
}

TEST(Probe, ARelayedAckSavesTheTarget) {
  LoneNode node = prober(true);
  const SequenceNumber sequence = wait_for_ping_of_target(node);
  node.advance(700ms);
  node.receive_message(Ack{.sequence = sequence, .payload = {}});
  node.take_events();
  node.advance(300ms);
  EXPECT_FALSE(traced(node, TraceKind::suspect_started, "target"));
}

TEST(Probe, SuspectsWhoNobodyReachesAndCountsNacks) {
  LoneNode with_nack = prober(true);
  const SequenceNumber sequence = wait_for_ping_of_target(with_nack);
  with_nack.advance(600ms);
  with_nack.receive_message(Nack{.sequence = sequence});
  with_nack.advance(400ms);
  EXPECT_TRUE(traced(with_nack, TraceKind::suspect_started, "target"));
  EXPECT_EQ(with_nack.stats().health_score, 0u) << "every nack came: the fault is not ours";

  LoneNode mute = prober(true);
  wait_for_ping_of_target(mute);
  mute.advance(1s);
  EXPECT_EQ(mute.stats().health_score, 1u) << "one nack is missing";

  LoneNode alone = prober(false);
  wait_for_ping_of_target(alone);
  alone.advance(1s);
  EXPECT_EQ(alone.stats().health_score, 1u) << "nobody to ask";
}

TEST(Probe, TellsASuspectThatItIsSuspected) {
  LoneNode node = prober(false);
  node.receive_message(suspect("target", 1, "somebody"));
  node.advance(1s);
  const std::vector<SentPacket> sent = node.take_packets();
  ASSERT_FALSE(sent.empty());
  ASSERT_EQ(sent[0].messages.size(), 2u);
  EXPECT_EQ(sent[0].messages[0].front(), std::byte{0});
  EXPECT_EQ(sent[0].messages[1].front(), std::byte{3});
  Scratch scratch;
  const auto accusation = decode_suspect(body_of(sent[0].messages[1]), scratch);
  EXPECT_EQ(accusation->from, "me");
  EXPECT_EQ(sent[0].bytes.front(), std::byte{12}) << "with a checksum, as the peer understands it";
}

TEST(Probe, AnUnwellNodeProbesMoreSlowly) {
  LoneNode node = prober(false);
  for (std::uint32_t i = 0; i < 3; ++i) node.receive_message(suspect("me", 10 * (i + 1), "x"));
  EXPECT_EQ(node.stats().health_score, 3u);
  EXPECT_EQ(node.stats().counters.probes_slowed, 0u);
  wait_for_ping_of_target(node);
  EXPECT_EQ(node.stats().counters.probes_slowed, 1u);
  node.take_events();
  node.advance(3900ms);
  EXPECT_FALSE(traced(node, TraceKind::suspect_started, "target"));
  node.advance(200ms);
  EXPECT_TRUE(traced(node, TraceKind::suspect_started, "target")) << "interval * (score + 1)";
}

TEST(ProbeForOthers, RelaysTheAckAndSendsANackOtherwise) {
  LoneNode node = prober(false);
  const Peer requester{.name = "requester", .host = 5};
  const IndirectPing request{
      .sequence = SequenceNumber{99},
      .target = target.address.bytes(),
      .port = 7946,
      .node = "target",
      .nack = true,
      .source = {.address = requester.address.bytes(), .port = 7946, .node = "requester"}};
  node.receive_message(request);
  std::vector<SentPacket> sent = node.take_packets();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, target.endpoint());
  Scratch scratch;
  const SequenceNumber ours = decode_ping(body_of(sent[0].messages[0]), scratch)->sequence;
  node.receive_message(Ack{.sequence = ours, .payload = {}});
  sent = node.take_packets();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, requester.endpoint());
  EXPECT_EQ(to_number(decode_ack(body_of(sent[0].messages[0]), scratch)->sequence), 99u);

  node.receive_message(request);
  node.take_packets();
  node.advance(500ms);
  const std::vector<ByteVector> nacks = node.take_messages(MessageType::nack);
  ASSERT_EQ(nacks.size(), 1u);
  EXPECT_EQ(to_number(decode_nack(body_of(nacks[0]))->sequence), 99u);
}

TEST(ProbeForOthers, UsesItsOwnPortWhenNoneIsNamed) {
  LoneNode node = prober(false);
  node.receive_message(IndirectPing{.sequence = SequenceNumber{1},
                                    .target = target.address.bytes(),
                                    .port = 0,
                                    .node = "target"});
  const std::vector<SentPacket> sent = node.take_packets();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].to, target.endpoint());
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

}  // namespace
}  // namespace starling::test
