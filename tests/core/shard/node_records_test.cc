// Two lanes of one node, each with its own rows, and one digest.
#include "core/shard/node_records.h"

#include <gtest/gtest.h>

#include "core/shard/apply_mail.h"
#include "core/shard/row_digest.h"
#include "tests/support/arena_block.h"
#include "tests/support/lone_node.h"
#include "tests/support/peer_messages.h"

namespace starling::test {
namespace {

EngineOptions two_lanes() {
  EngineOptions options = LoneNode::options_named("me");
  options.lanes = 2;
  options.capacity.members_max = 1'024;
  options.capacity.streams_max = 4;
  return options;
}

class Lanes : public testing::Test {
 protected:
  static constexpr std::size_t ring_bytes = 1 << 20;
  const EngineOptions options = two_lanes();
  ArenaBlock memory{2 * Node::footprint(options) +
                    NodeView::footprint(2, options.capacity.hosted_max) +
                    mailboxes_footprint(2, ring_bytes) + 2 * ring_footprint(ring_bytes) + 4096};
  NodeView view{memory.arena(), 2, options.capacity.hosted_max};
  std::vector<Mailbox> boxes = make_mailboxes(memory.arena(), 2, ring_bytes);
  std::array<std::pair<RingWriter, RingReader>, 2> rings{make_ring(memory.arena(), ring_bytes),
                                                         make_ring(memory.arena(), ring_bytes)};
  Node front = lane(0), back = lane(1);
  const Endpoint peer{IpAddress::v4(127, 0, 0, 9), 7946};
  const Instant now{std::chrono::seconds(5)};

  Node lane(std::uint8_t id) {
    return Node(memory.arena(), options, Instant{}, EventWriter(std::move(rings[id].first)),
                {.id = ShardId{id}, .lanes = 2, .view = &view, .mail = std::move(boxes[id])});
  }
  // Each lane is given its own.
  void apply(const std::string& name) {
    const MemberRecord record{.name = name,
                              .hash = hash_name(name),
                              .incarnation = Incarnation{1},
                              .endpoint = peer,
                              .status_time = LamportTime{3}};
    for (Node* node : {&front, &back}) {
      NodeRecords records(*node, now);
      if (records.owns(record.hash)) records.apply(record, peer);
    }
  }
};

TEST_F(Lanes, HaveOneDigestAndTheirOwnRows) {
  for (int i = 0; i < 200; ++i) apply("member-" + std::to_string(i));
  EXPECT_EQ(NodeRecords(front, now).digest().root(), NodeRecords(back, now).digest().root());
  std::size_t rows = 0;
  Root root;
  for (Node* node : {&front, &back}) {
    NodeRecords records(*node, now);
    EXPECT_EQ(records.digest().count(), 200u);
    std::size_t own = 0;
    auto visit = [&](const MemberRecord& record) {
      EXPECT_TRUE(records.owns(record.hash));
      EXPECT_EQ(record.status_time, LamportTime{3});
      EXPECT_TRUE(records.find(record.hash, record.name).has_value());
      root.sum += mark_of(records.digest().key(), record).weight;
      ++root.count;
      ++own;
      return true;
    };
    records.for_each_in_buckets(Bucket{0}, bucket_count, RecordVisitor(visit));
    EXPECT_GT(own, 50u);
    rows += own;
  }
  EXPECT_EQ(rows, 200u);
  EXPECT_EQ(NodeRecords(front, now).digest().root(), root);
}

TEST_F(Lanes, AskForTheRowsOfOthers) {
  std::vector<Symbol> symbols;
  for (std::uint64_t i = 0; i < 60; ++i) symbols.push_back(Symbol{i << 58 | i});
  NodeRecords records(front, now);
  const std::span<const Symbol> own = records.keep_own(symbols, {.exchange = ExchangeId{4}}, peer);
  EXPECT_GT(own.size(), 10u);
  EXPECT_LT(own.size(), 50u);
  EXPECT_TRUE(std::ranges::is_sorted(own));
  for (const Symbol symbol : own) {
    EXPECT_EQ(front.buckets.owner(bucket_of(symbol)), front.id);
  }
  EXPECT_EQ(front.counters.mails_sent, 1u);
  std::size_t asked = 0;
  back.mail.drain(10, [&](ShardId from, const Mail& mail) {
    EXPECT_EQ(from, front.id);
    EXPECT_EQ(mail.kind, MailKind::sync_part);
    EXPECT_EQ(mail.endpoint, peer);
    const auto message = decode_sync(mail.bytes.subspan(1));
    ASSERT_TRUE(message.has_value());
    EXPECT_TRUE(message->header.from_responder) << "as if the peer had asked";
    const SyncSymbols wanted = std::get<SyncWant>(message->body).symbols;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(back.buckets.owner(bucket_of(Symbol{wanted[i]})), back.id);
    }
    asked += wanted.size();
  });
  EXPECT_EQ(asked + own.size(), 60u);
}

TEST_F(Lanes, TakeTurnsAtAnswering) {
  const NodeRecords first(front, now), second(back, now);
  EXPECT_EQ(first.turn_at(Bucket{0}, bucket_count).place, 0u);
  EXPECT_EQ(second.turn_at(Bucket{0}, bucket_count).place, 1u);
  EXPECT_EQ(second.turn_at(Bucket{0}, bucket_count).of, 2u);
  for (std::uint16_t i = 0; i < 20; ++i) {
    const bool fronts = front.buckets.owner(Bucket{i}) == front.id;
    EXPECT_EQ(first.turn_at(Bucket{i}, 1).of, 1u);
    EXPECT_EQ(first.turn_at(Bucket{i}, 1).place, fronts ? 0u : 1u);
    EXPECT_EQ(second.turn_at(Bucket{i}, 1).place, fronts ? 1u : 0u);
  }
}

// The front lane's question where the peer stands goes out after the others have said twice that
// they are through: the second time their packets are out.
TEST_F(Lanes, AreWaitedForBeforeTheEnd) {
  std::vector<std::byte> room(2048);
  std::array<TxPacket, 8> blanks;
  std::vector<std::vector<std::byte>> rooms(8, std::vector<std::byte>(2048));
  for (std::size_t i = 0; i < 8; ++i) blanks[i].room = rooms[i];
  front.out.lend(blanks);
  Writer out(room);
  encode({.exchange = ExchangeId{4}}, SyncFinished{.serial = 1}, out);
  NodeRecords(front, now).send(peer, out.written());
  for (int answer = 0; answer < 2; ++answer) {
    EXPECT_EQ(front.out.filled(), 0u);
    std::array<TxPacket, 64> others;
    std::vector<std::byte> other_room(2048);
    for (TxPacket& blank : others) blank.room = other_room;
    back.out.lend(others);
    apply_mails(back, now);
    std::array<TxPacket, 64> more;
    std::copy(blanks.begin(), blanks.end(), more.begin());
    for (std::size_t i = 8; i < more.size(); ++i) more[i].room = other_room;
    front.out.lend(more);
    apply_mails(front, now);
  }
  EXPECT_EQ(front.out.filled(), 1u);
}

}  // namespace
}  // namespace starling::test
