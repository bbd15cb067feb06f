// Two nodes of this kind make their tables equal over datagrams alone.
#include "core/shard/sync_turn.h"

#include <gtest/gtest.h>

#include "tests/support/node_pair.h"

namespace starling::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Their alive members point to addresses where nobody is, so the comparisons that go there end in
// nothing; those between the two decide.
class LanesOfPair : public testing::TestWithParam<std::pair<std::uint32_t, std::uint32_t>> {
 protected:
  NodePair pair_{{.lanes_a = GetParam().first, .lanes_b = GetParam().second}};
};

TEST_P(LanesOfPair, EqualTablesAreDoneWithThePing) {
  pair_.run(seconds(10));
  ASSERT_TRUE(pair_.equal());
  const Stats before = pair_.a.stats();
  pair_.run(seconds(5));
  const Stats after = pair_.a.stats();
  EXPECT_GT(after.counters.syncs_equal, before.counters.syncs_equal);
  EXPECT_EQ(after.counters.sync_bytes_out, before.counters.sync_bytes_out);
  EXPECT_EQ(after.counters.syncs_started, before.counters.syncs_started);
}

TEST_P(LanesOfPair, AFewDifferentRowsAreExchangedBothWays) {
  pair_.run(seconds(3));
  NodePair::teach(pair_.a, 0, 5);
  NodePair::teach(pair_.b, 100, 5);
  NodePair::teach(pair_.a, 200, 1, 7);
  NodePair::teach(pair_.b, 200, 1, 3);
  // Of thirteen members two are here: the others are asked in vain.
  pair_.run(seconds(60));
  EXPECT_TRUE(pair_.equal());
  const Stats a = pair_.a.stats(), b = pair_.b.stats();
  EXPECT_EQ(a.members_alive, 13u);
  EXPECT_EQ(b.members_alive, 13u);
  EXPECT_GE(a.counters.syncs_converged + b.counters.syncs_converged, 1u);
  EXPECT_EQ(a.counters.mails_lost + b.counters.mails_lost, 0u);
}

INSTANTIATE_TEST_SUITE_P(Lanes, LanesOfPair,
                         testing::Values(std::pair{1u, 1u}, std::pair{2u, 2u}, std::pair{4u, 1u},
                                         std::pair{1u, 4u}, std::pair{3u, 4u}));

class LossyPair : public testing::TestWithParam<std::tuple<double, std::uint32_t>> {};

TEST_P(LossyPair, ThousandsOfRowsOfAStrangerAreStreamed) {
  const auto [loss, lanes] = GetParam();
  NodePair pair({.lanes_a = lanes, .lanes_b = lanes, .loss = loss});
  NodePair::teach(pair.a, 0, 3'000);
  // What a joining node hears first is that the other is there; it asks nobody else.
  for (int tries = 0; tries < 40 && !pair.equal(); ++tries) pair.run(seconds(1));
  EXPECT_TRUE(pair.equal());
  EXPECT_EQ(pair.b.stats().members_alive, 3'002u);
  EXPECT_LT(pair.bytes, 3'000u * 120);
}
INSTANTIATE_TEST_SUITE_P(Loss, LossyPair,
                         testing::Combine(testing::Values(0.0, 0.1), testing::Values(1u, 2u, 4u)));

TEST(SyncTurn, WhoDoesNotKnowDigestsGetsAFullPushPull) {
  LoneNode node(NodePair::options_at("a", 1));
  node.receive_message(Peer{.name = "go"}.alive(1));
  bool dialled = false;
  for (int slice = 0; slice < 40 && !dialled; ++slice) {
    node.advance(milliseconds(100));
    for (const ByteVector& message : node.take_messages(MessageType::ping)) {
      Scratch scratch;
      const auto ping = decode_ping(body_of(message), scratch);
      EXPECT_TRUE(read_standing(ping->standing)) << "every ping says where we stand";
      node.receive_message(Ack{.sequence = ping->sequence, .payload = {}});
    }
    for (const StreamOp& op : node.take_stream_ops()) {
      dialled |= op.kind == StreamOp::Kind::connect;
    }
  }
  EXPECT_TRUE(dialled);
  EXPECT_EQ(node.stats().counters.syncs_started, 0u);
}

TEST(SyncTurn, AFullPushPullIsDueEveryIntervalHoweverFastTheAnswer) {
  LoneNode node(NodePair::options_at("a", 1));
  node.receive_message(Peer{.name = "go"}.alive(1));
  node.advance(milliseconds(2'500));  // the first has gone
  node.take_stream_ops();
  node.take_packets();
  int asked = 0, dialled = 0;
  for (int slice = 0; slice < 1'000; ++slice) {
    node.advance(milliseconds(10));
    for (const ByteVector& message : node.take_messages(MessageType::ping)) {
      Scratch scratch;
      const auto ping = decode_ping(body_of(message), scratch);
      if (asked++ % 2 == 0) node.advance(milliseconds(40));  // every other answer comes sooner
      node.receive_message(Ack{.sequence = ping->sequence, .payload = {}});
    }
    for (const StreamOp& op : node.take_stream_ops()) {
      if (op.kind != StreamOp::Kind::connect) continue;
      ++dialled;
      node.stream_event({.kind = StreamEvent::Kind::failed, .stream = op.stream, .bytes = {}});
    }
  }
  EXPECT_GE(asked, 9);
  EXPECT_EQ(dialled, asked);
}

TEST(SyncTurn, AnAckTellsOnlyThoseWhoAskInKind) {
  LoneNode node(NodePair::options_at("a", 1));
  for (const bool in_kind : {false, true}) {
    StandingRoom room;
    Ping ping{.sequence = SequenceNumber{5}, .node = "a", .source = {}};
    if (in_kind) ping.standing = write_standing({}, room);
    node.take_packets();
    node.receive_message(ping);
    const std::vector<ByteVector> acks = node.take_messages(MessageType::ack);
    ASSERT_EQ(acks.size(), 1u);
    Scratch scratch;
    const auto ack = decode_ack(body_of(acks[0]), scratch);
    EXPECT_EQ(read_standing(ack->standing).has_value(), in_kind);
    EXPECT_EQ(ack->standing.empty(), !in_kind);
  }
}

TEST(SyncTurn, SwitchedOffItLeavesNoTrace) {
  EngineOptions options = NodePair::options_at("a", 1);
  options.swim.digests = false;
  options.swim.probe_interval = milliseconds(200);
  LoneNode node(options);
  node.receive_message(Peer{.name = "b"}.alive(1));
  node.advance(seconds(1));
  const std::vector<ByteVector> pings = node.take_messages(MessageType::ping);
  ASSERT_FALSE(pings.empty());
  Scratch scratch;
  EXPECT_TRUE(decode_ping(body_of(pings[0]), scratch)->standing.empty());
  EXPECT_EQ(node.stats().digest_count, 0u);
  const std::array<std::byte, 2> sync_message{std::byte{83}, std::byte{0}};
  node.receive(sync_message);
  EXPECT_GE(node.stats().counters.messages_dropped, 1u);
}

}  // namespace
}  // namespace starling::test
