// Packets as they leave (protocol/memberlist sections 4.3, 4.6, 14.1-14.3).
#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"
#include "wire/compound.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

// A node with far more to say than one packet holds.
LoneNode talkative(EngineOptions options) {
  options.swim.gossip_bytes_per_second_max = 0;  // no surplus rounds
  options.swim.probe_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  LoneNode node(options);
  for (std::uint8_t host = 2; host < 60; ++host) {
    const std::string name = "member-with-a-long-name-" + std::to_string(host);
    node.receive_message(Peer{.name = name, .host = host}.alive(1, as_bytes("some metadata")));
  }
  node.take_packets();
  return node;
}

TEST(GossipPackets, FillTheBudgetAndKeepIt) {
  for (const bool encrypted : {false, true}) {
    for (const std::string label : {"", "a-label"}) {
      EngineOptions options = LoneNode::options_named("me");
      options.label = label;
      if (encrypted) {
        EXPECT_TRUE(
            options.keyring.add(*AesKey::from(from_hex("000102030405060708090a0b0c0d0e0f"))));
      }
      LoneNode node = [&] {
        EngineOptions quiet = options;
        quiet.skip_inbound_label_check = true;  // the test's own packets carry no label
        quiet.verify_incoming = false;
        return talkative(quiet);
      }();
      node.advance(200ms);
      const std::vector<SentPacket> sent = node.take_packets();
      ASSERT_EQ(sent.size(), 3u) << "one tick, three members";
      for (const SentPacket& packet : sent) {
        // The checksum is not in the budget, as in Go.
        EXPECT_LE(packet.bytes.size(), 1400u + 5u);
        EXPECT_GT(packet.bytes.size(), 1200u);
        EXPECT_LE(packet.messages.size(), compound_parts_max);
      }
    }
  }
}

TEST(GossipPackets, CarryAChecksumOnlyForPeersThatKnowIt) {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.probe_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  for (const std::uint8_t protocol_max : {std::uint8_t{4}, std::uint8_t{5}}) {
    LoneNode node(options);
    const Peer peer{.name = "peer"};
    Alive alive = peer.alive(1);
    const auto versions = write_versions({.protocol_max = protocol_max});
    alive.versions = versions;
    node.receive_message(alive);
    node.advance(200ms);
    const std::vector<SentPacket> sent = node.take_packets();
    ASSERT_FALSE(sent.empty());
    EXPECT_EQ(sent[0].bytes.front() == std::byte{12}, protocol_max >= 5);
  }
}

TEST(Piggyback, AnAckTakesGossipAlong) {
  LoneNode node = quiet_node();
  node.receive_message(Peer{.name = "peer"}.alive(1));
  node.take_packets();
  node.receive_message(Ping{.sequence = SequenceNumber{1}, .node = "me"});
  const std::vector<SentPacket> sent = node.take_packets();
  ASSERT_EQ(sent.size(), 1u);
  ASSERT_GE(sent[0].messages.size(), 2u);
  EXPECT_EQ(sent[0].messages[0].front(), std::byte{2}) << "the ack goes first";
  EXPECT_EQ(sent[0].bytes.front(), std::byte{7}) << "and no checksum is added";
}

TEST(Compression, IsUsedOnlyWhenItMakesThePacketSmaller) {
  EngineOptions options = LoneNode::options_named("me");
  options.compress = true;
  EngineOptions without_coordinate = options;  // the first one has zeros that compress well
  without_coordinate.serf.coordinates = false;
  LoneNode node(without_coordinate);
  node.advance(10ms);
  node.receive_message(Ping{.sequence = SequenceNumber{1}, .node = "me"});
  const std::vector<SentPacket> small = node.take_packets();
  ASSERT_EQ(small.size(), 1u);
  EXPECT_NE(small[0].bytes.front(), std::byte{9});
  LoneNode loud = talkative(options);
  loud.advance(200ms);
  const std::vector<SentPacket> large = loud.take_packets();
  ASSERT_FALSE(large.empty());
  EXPECT_EQ(large[0].bytes.at(5), std::byte{9}) << "compressed, inside the checksum";
}

}  // namespace
}  // namespace starling::test
