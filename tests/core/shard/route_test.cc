// Which lane a message belongs to.
#include "core/shard/route.h"

#include <gtest/gtest.h>

#include "tests/support/arena_block.h"
#include "tests/support/lone_node.h"
#include "tests/support/peer_messages.h"
#include "wire/serf_messages.h"

namespace starling::test {
namespace {

constexpr std::uint32_t lanes = 4;

class Routing : public testing::Test {
 protected:
  Routing()
      : options_(LoneNode::options_named("me")),
        memory_(4 * (Node::footprint(laned()) + (1 << 20))),
        view_(memory_.arena(), lanes, options_.capacity.hosted_max),
        boxes_(make_mailboxes(memory_.arena(), lanes, 1 << 16)),
        ring_(make_ring(memory_.arena(), 1 << 16)),
        node_(memory_.arena(), laned(), Instant{}, EventWriter(std::move(ring_.first)),
              LanePlace{
                  .id = ShardId{2}, .lanes = lanes, .view = &view_, .mail = std::move(boxes_[2])}) {
  }
  EngineOptions laned() const {
    EngineOptions options = options_;
    options.lanes = lanes;
    return options;
  }
  template <class Message>
  ShardId owner(const Message& message) {
    std::array<std::byte, 2048> room;
    Writer out(room);
    encode(message, out);
    return route_of(node_, out.written()).owner;
  }
  template <class Message>
  ShardId owner_of_user(const Message& message) {
    std::array<std::byte, 2048> room;
    Writer out(room);
    out.u8(static_cast<std::uint8_t>(MessageType::user));
    encode(message, out);
    return route_of(node_, out.written()).owner;
  }

  EngineOptions options_;
  ArenaBlock memory_;
  NodeView view_;
  std::vector<Mailbox> boxes_;
  std::pair<RingWriter, RingReader> ring_;
  Node node_;
};

TEST_F(Routing, FactsAndIntentsGoToTheOwnerOfTheirSubject) {
  std::array<int, lanes> owned{};
  for (int i = 0; i < 400; ++i) {
    const std::string name = "member" + std::to_string(i);
    const ShardId expected = node_.buckets.owner(hash_name(name));
    ++owned[static_cast<std::size_t>(expected)];
    EXPECT_EQ(owner(Peer{.name = name}.alive(1)), expected);
    EXPECT_EQ(owner(suspect(name, 1, "x")), expected);
    EXPECT_EQ(owner(dead(name, 1, name)), expected);
    EXPECT_EQ(owner_of_user(LeaveIntent{.time = LamportTime{1}, .node = name}), expected);
    EXPECT_EQ(owner_of_user(JoinIntent{.time = LamportTime{1}, .node = name}), expected);
  }
  for (const int count : owned) EXPECT_NEAR(count, 100, 45);
}

TEST_F(Routing, AnAliveThatIsNotLaidOutAsGoDoesIsDecoded) {
  // {"Node": "x", "Incarnation": 1}, in this order.
  const ByteVector odd = from_hex("0482a44e6f6465a178ab496e6361726e6174696f6e01");
  EXPECT_EQ(route_of(node_, odd).owner, node_.buckets.owner(hash_name("x")));
}

TEST_F(Routing, AcksGoWhereTheirNumberSays) {
  for (std::uint32_t lane = 0; lane < lanes; ++lane) {
    const SequenceNumber sequence{lane << 24 | 99};
    EXPECT_EQ(owner(Ack{.sequence = sequence, .payload = {}}), ShardId{std::uint8_t(lane)});
    EXPECT_EQ(owner(Nack{.sequence = sequence}), ShardId{std::uint8_t(lane)});
  }
  EXPECT_EQ(owner(Ack{.sequence = SequenceNumber{0xff00'0001}, .payload = {}}), node_.id)
      << "no such lane: it stays, and nobody waits for it";
}

TEST_F(Routing, EventsGoToTheFrontAndTheRestStays) {
  EXPECT_EQ(owner_of_user(UserEvent{.time = LamportTime{1}, .name = "e", .payload = {}}),
            front_lane);
  EXPECT_EQ(owner(Ping{.sequence = SequenceNumber{1}, .node = "me", .source = {}}), node_.id);
  for (const char* garbage : {"", "03", "0481", "08", "0800ff", "02", "c1", "0881"}) {
    EXPECT_EQ(route_of(node_, from_hex(garbage)).owner, node_.id) << garbage;
  }
}

}  // namespace
}  // namespace starling::test
