// Two nodes of this kind make their tables equal over datagrams alone.
#include "core/shard/sync_turn.h"

#include <gtest/gtest.h>

#include "tests/support/node_talk.h"

namespace starling::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

EngineOptions options_at(std::string name, std::uint8_t host) {
  EngineOptions options = LoneNode::options_named(std::move(name));
  options.advertise = {IpAddress::v4(127, 0, 1, host), 7946};
  options.seed = host;
  options.capacity.members_max = 8'192;
  options.capacity.queue_slab_bytes = 4u << 20;
  // Only the comparison is to repair anything.
  options.swim.gossip_interval = Duration::zero();
  options.swim.probe_interval = Duration::zero();
  options.swim.push_pull_interval = seconds(1);
  return options;
}

// Two nodes and the cable between them.
class Pair {
 public:
  explicit Pair(double loss = 0) : loss_(loss) {
    a.receive_message(Peer{.name = "b", .address = address(2)}.alive(1));
    b.receive_message(Peer{.name = "a", .address = address(1)}.alive(1));
  }
  static IpAddress address(std::uint8_t host) { return IpAddress::v4(127, 0, 1, host); }

  void run(Duration duration) {
    const Instant end = a.now() + duration;
    while (a.now() < end) {
      a.advance(milliseconds(1));
      b.advance(milliseconds(1));
      carry(a, 1, b, 2);
      carry(b, 2, a, 1);
    }
  }
  bool equal() {
    const Stats one = a.stats(), other = b.stats();
    return one.digest_root == other.digest_root && one.digest_count == other.digest_count;
  }
  // Members of its own for a node: known to it, not to the other.
  static void teach(LoneNode& node, std::size_t first, std::size_t count,
                    std::uint32_t incarnation = 1) {
    for (std::size_t i = first; i < first + count; ++i) {
      const std::string name = "member-" + std::to_string(i);
      node.receive_message(Peer{.name = name, .address = IpAddress::v4(10, 0, 0, 9)}.alive(
          incarnation, as_bytes("shared tags")));
    }
    node.take_events();
  }

  LoneNode a{options_at("a", 1)}, b{options_at("b", 2)};
  std::size_t datagrams = 0, bytes = 0;

 private:
  void carry(LoneNode& from, std::uint8_t from_host, LoneNode& to, std::uint8_t to_host) {
    from.take_events();
    for (const SentPacket& packet : from.take_packets()) {
      if (packet.to.address != address(to_host)) continue;  // members that are not there
      ++datagrams;
      bytes += packet.bytes.size();
      if (rng_.below(1000) < loss_ * 1000) continue;
      to.receive(packet.bytes, Endpoint{address(from_host), 7946});
    }
  }
  double loss_;
  Rng rng_{5};
};

// Their alive members point to addresses where nobody is, so the comparisons that go there end in
// nothing; those between the two decide.
TEST(SyncTurn, EqualTablesAreDoneWithThePing) {
  Pair pair;
  pair.run(seconds(10));
  ASSERT_TRUE(pair.equal());
  const Stats before = pair.a.stats();
  pair.run(seconds(5));
  const Stats after = pair.a.stats();
  EXPECT_GT(after.counters.syncs_equal, before.counters.syncs_equal);
  EXPECT_EQ(after.counters.sync_bytes_out, before.counters.sync_bytes_out);
  EXPECT_EQ(after.counters.syncs_started, before.counters.syncs_started);
}

TEST(SyncTurn, AFewDifferentRowsAreExchangedBothWays) {
  Pair pair;
  pair.run(seconds(3));
  Pair::teach(pair.a, 0, 5);
  Pair::teach(pair.b, 100, 5);
  Pair::teach(pair.a, 200, 1, 7);
  Pair::teach(pair.b, 200, 1, 3);
  // Of thirteen members two are here: the others are asked in vain.
  pair.run(seconds(60));
  EXPECT_TRUE(pair.equal());
  EXPECT_EQ(pair.a.stats().members_alive, 13u);
  EXPECT_EQ(pair.b.stats().members_alive, 13u);
  EXPECT_GE(pair.a.stats().counters.syncs_converged + pair.b.stats().counters.syncs_converged, 1u);
}

class LossyPair : public testing::TestWithParam<double> {};

TEST_P(LossyPair, ThousandsOfRowsOfAStrangerAreStreamed) {
  Pair pair(GetParam());
  Pair::teach(pair.a, 0, 3'000);
  // What a joining node hears first is that the other is there; it asks nobody else.
  for (int tries = 0; tries < 40 && !pair.equal(); ++tries) pair.run(seconds(1));
  EXPECT_TRUE(pair.equal());
  EXPECT_EQ(pair.b.stats().members_alive, 3'002u);
  EXPECT_LT(pair.bytes, 3'000u * 120);
}
INSTANTIATE_TEST_SUITE_P(Loss, LossyPair, testing::Values(0.0, 0.1));

TEST(SyncTurn, WhoDoesNotKnowDigestsGetsAFullPushPull) {
  LoneNode node(options_at("a", 1));
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
  LoneNode node(options_at("a", 1));
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
  LoneNode node(options_at("a", 1));
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
  EngineOptions options = options_at("a", 1);
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
