// Datagrams that are not what they should be are counted, traced, and harm nothing.
#include <gtest/gtest.h>

#include "tests/support/lone_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

TEST(BadPackets, AreCountedAndNamed) {
  LoneNode node = quiet_node();
  node.take_events();
  node.receive(from_hex(""));                // nothing
  node.receive(from_hex("0c0000000000"));    // a wrong checksum
  node.receive(from_hex("55"));              // an unknown type
  node.receive(from_hex("0683"));            // a stream's message
  node.receive(from_hex("0482a44e6f6465"));  // cut off
  node.receive(from_hex("07"));              // a compound without a count
  std::vector<std::string> layers;
  for (const KeptEvent& kept : node.take_events()) {
    if (kept.event.kind == Event::Kind::trace) layers.emplace_back(kept.event.error.layer);
  }
  EXPECT_GE(layers.size(), 5u);
  EXPECT_NE(std::ranges::find(layers, "crc"), layers.end());
  EXPECT_NE(std::ranges::find(layers, "alive"), layers.end());
  EXPECT_NE(std::ranges::find(layers, "compound"), layers.end());
  const Stats stats = node.stats();
  EXPECT_EQ(stats.counters.packets_in, 6u);
  EXPECT_EQ(stats.counters.packets_dropped + stats.counters.messages_dropped, 6u);
  EXPECT_EQ(stats.nodes, 1u);
}

TEST(BadPackets, OneBadPartDoesNotSpoilTheOthers) {
  LoneNode node = quiet_node();
  std::array<std::byte, 512> room;
  CompoundBuilder builder(room);
  const ByteVector ping = from_hex("0082a44e6f6465a26d65a55365714e6f01");
  builder.add(ping);
  builder.add(from_hex("5501"));
  builder.add(ping);
  node.receive(builder.finish());
  EXPECT_EQ(node.take_messages(MessageType::ack).size(), 2u);
  const Counters counters = node.stats().counters;
  EXPECT_EQ(counters.messages_dropped + counters.packets_dropped, 1u);
}

TEST(Bursts, PacketsBeyondTheBlanksWaitForTheNextTurn) {
  EngineOptions options = LoneNode::options_named("me");
  ArenaBlock memory(Engine::footprint(options) + 4096);
  auto engine =
      Engine::create(options, memory.arena().bytes(Engine::footprint(options)), Instant{});
  ASSERT_TRUE(engine);
  const ByteVector ping = from_hex("0082a44e6f6465a26d65a55365714e6f01");
  std::vector<RxPacket> burst(
      64, RxPacket{.from = {IpAddress::v4(127, 0, 0, 9), 7946}, .bytes = ping, .cookie = 0});
  std::vector<std::byte> rooms(32 * options.packet_room_bytes());
  std::array<TxPacket, 32> blanks;
  for (std::size_t i = 0; i < blanks.size(); ++i) {
    blanks[i].room =
        MutableBytes(rooms).subspan(i * options.packet_room_bytes(), options.packet_room_bytes());
  }
  const PollResult turn = engine->lane().poll(Instant{}, burst, blanks);
  EXPECT_GT(turn.taken, 0u);
  EXPECT_LT(turn.taken, burst.size());
  EXPECT_EQ(turn.filled, turn.taken) << "every packet taken was answered";
  EXPECT_EQ(turn.next_due, Instant{}) << "there is more to do at once";
}

}  // namespace
}  // namespace starling::test
