// Coordinates in acks, from probes, and as the owner asks for them; with one lane and with several.
#include "core/shard/coordinates.h"

#include <limits>

#include <gtest/gtest.h>

#include "tests/support/laned_node.h"
#include "tests/support/node_talk.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

using namespace std::chrono_literals;

const Peer target{.name = "target", .host = 2};

EngineOptions quiet_options() {
  EngineOptions options = LoneNode::options_named("me");
  options.swim.gossip_interval = Duration::zero();
  options.swim.push_pull_interval = Duration::zero();
  return options;
}

ByteVector payload_of(const Coordinate& coordinate) {
  std::array<std::byte, 160> room;
  Writer out(room);
  encode_ping_payload(coordinate, out);
  return to_vector(out.written());
}

Coordinate some_coordinate() {
  Coordinate coordinate;
  coordinate.vector = {0.01, 0.02, 0, 0, 0, 0, 0, 0};
  coordinate.error = 0.3;
  return coordinate;
}

// A node of one lane or several that knows `target` and probes it.
class Coordinates : public testing::TestWithParam<std::uint32_t> {
 protected:
  void start(const EngineOptions& options = quiet_options()) {
    node_.emplace(options, GetParam());
    node_->receive_message(0, target.alive(1));
    node_->take_packets();
  }
  // The next ping of the target.
  SequenceNumber wait_for_ping() {
    for (int i = 0; i < 20'000; ++i) {
      node_->advance(1ms);
      for (const ByteVector& message : node_->take_messages(MessageType::ping)) {
        Scratch scratch;
        return decode_ping(body_of(message), scratch)->sequence;
      }
    }
    ADD_FAILURE() << "the target is not probed";
    return {};
  }
  void answer_probe(Duration after, const ByteVector& payload) {
    const SequenceNumber sequence = wait_for_ping();
    node_->advance(after);
    node_->receive_message(0, Ack{.sequence = sequence, .payload = payload});
  }
  // What the node gives with an ack, asked at this lane's socket.
  ByteVector ack_payload(std::size_t lane) {
    node_->take_packets();
    node_->receive_message(lane, Ping{.sequence = SequenceNumber{5}, .node = "me"});
    const std::vector<ByteVector> acks = node_->take_messages(MessageType::ack);
    EXPECT_EQ(acks.size(), 1u);
    Scratch scratch;
    return acks.empty() ? ByteVector{}
                        : to_vector(decode_ack(body_of(acks.front()), scratch)->payload);
  }
  ByteVector asked_for(std::string_view name) {
    node_->take_events();
    Command command;
    command.kind = Command::Kind::coordinate;
    command.token = 77;
    command.name = name;
    node_->command(command);
    for (const KeptEvent& kept : node_->take_events()) {
      if (kept.event.kind == Event::Kind::done && kept.event.token == 77) return kept.payload;
    }
    ADD_FAILURE() << "no answer";
    return {};
  }

  std::optional<LanedNode> node_;
};

TEST_P(Coordinates, EveryAckCarriesOurs) {
  start();
  for (std::uint32_t lane = 0; lane < GetParam(); ++lane) {
    EXPECT_EQ(ack_payload(lane), payload_of(Coordinate{}));
  }
  EXPECT_EQ(asked_for("me"), payload_of(Coordinate{}));
  EXPECT_TRUE(asked_for("target").empty()) << "never probed";
  EXPECT_TRUE(asked_for("stranger").empty());
}

TEST_P(Coordinates, AProbeMovesOursAndShowsThePeers) {
  start();
  answer_probe(20ms, payload_of(some_coordinate()));
  CoordinateClient expected(1);
  LatencyFilter filter;
  expected.update(filter, some_coordinate(), 20ms);
  EXPECT_EQ(asked_for("target"), payload_of(some_coordinate()));
  EXPECT_EQ(asked_for("me"), payload_of(expected.coordinate()));
  for (std::uint32_t lane = 0; lane < GetParam(); ++lane) {
    EXPECT_EQ(ack_payload(lane), payload_of(expected.coordinate())) << "lane " << lane;
  }
  const Counters counted = node_->stats().counters;
  EXPECT_EQ(counted.coordinates_updated, 1u);
  const Duration moved = distance(Coordinate{}, expected.coordinate());
  EXPECT_GT(moved, Duration::zero());
  EXPECT_EQ(counted.coordinate_moved_nanoseconds, static_cast<std::uint64_t>(moved.count()));
  EXPECT_EQ(counted.coordinate_zero_round_trips, 0u);
}

TEST_P(Coordinates, ARoundTripOfNoTimeIsTakenAndCounted) {
  start();
  answer_probe(0ms, payload_of(some_coordinate()));
  EXPECT_EQ(node_->stats().counters.coordinates_updated, 1u);
  EXPECT_EQ(node_->stats().counters.coordinate_zero_round_trips, 1u);
}

TEST_P(Coordinates, AnAckThatComesAfterTheTimeoutMeasuresNothing) {
  start();
  answer_probe(600ms, payload_of(some_coordinate()));
  EXPECT_EQ(node_->stats().counters.acks_received, 1u);
  EXPECT_TRUE(asked_for("target").empty());
  EXPECT_EQ(ack_payload(0), payload_of(Coordinate{}));
}

TEST_P(Coordinates, WhatCannotBeIsCountedAndChangesNothing) {
  start();
  Coordinate infinite;
  infinite.vector[2] = std::numeric_limits<double>::infinity();
  answer_probe(5ms, payload_of(infinite));
  ByteVector other_version = payload_of(some_coordinate());
  other_version[0] = std::byte{2};
  answer_probe(5ms, other_version);
  answer_probe(5ms, to_vector(from_hex("0184a3566563920102")));
  answer_probe(5ms, {});  // a peer without coordinates
  EXPECT_EQ(node_->stats().counters.coordinates_rejected, 3u);
  EXPECT_EQ(node_->stats().counters.coordinates_updated, 0u);
  EXPECT_TRUE(asked_for("target").empty());
  EXPECT_EQ(ack_payload(0), payload_of(Coordinate{}));
}

TEST_P(Coordinates, SwitchedOffNothingIsSentOrKept) {
  EngineOptions options = quiet_options();
  options.serf.coordinates = false;
  start(options);
  answer_probe(5ms, payload_of(some_coordinate()));
  EXPECT_TRUE(ack_payload(0).empty());
  EXPECT_TRUE(asked_for("me").empty());
  EXPECT_TRUE(asked_for("target").empty());
}

TEST_P(Coordinates, OfAMemberThatIsReapedIsForgotten) {
  EngineOptions options = quiet_options();
  options.serf.reconnect_timeout = 1s;
  options.serf.reap_interval = 1s;
  start(options);
  answer_probe(20ms, payload_of(some_coordinate()));
  ASSERT_FALSE(asked_for("target").empty());
  node_->receive_message(0, dead("target", 1, "somebody"));
  node_->advance(5s);
  EXPECT_EQ(node_->stats().members, 1u);
  EXPECT_TRUE(asked_for("target").empty());
}

TEST_P(Coordinates, NoMoreAreKeptThanTheOptionSays) {
  EngineOptions options = quiet_options();
  options.capacity.coordinates_max = 1;
  start(options);
  answer_probe(20ms, payload_of(some_coordinate()));
  node_->receive_message(0, Peer{.name = "second", .host = 3}.alive(1));
  // Both are probed in turn; whoever answered last is known.
  for (int probes = 0; probes < 6; ++probes) answer_probe(1ms, payload_of(some_coordinate()));
  EXPECT_NE(asked_for("target").empty(), asked_for("second").empty());
}

INSTANTIATE_TEST_SUITE_P(Of, Coordinates, testing::Values(1u, 3u));

}  // namespace
}  // namespace starling::test
