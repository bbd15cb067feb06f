// The extra key of peers of this kind, in every message that may carry it.
#include "wire/standing.h"

#include <gtest/gtest.h>

#include "tests/support/vectors.h"
#include "wire/messages.h"
#include "wire/push_pull.h"

namespace starling {
namespace {

const Standing somewhere{.root = 0x0102'0304'0506'0708, .count = 1'000'000, .events = 0xdead'beef};

template <class Message>
test::ByteVector encoded(const Message& message) {
  std::array<std::byte, 1024> room;
  Writer out(room);
  encode(message, out);
  EXPECT_TRUE(out.ok());
  return test::to_vector(out.written());
}

TEST(Standing, ComesBackAsItWasWritten) {
  StandingRoom room;
  const Bytes value = write_standing(somewhere, room);
  EXPECT_EQ(read_standing(value), somewhere);
  EXPECT_EQ(read_standing({}), std::nullopt);
  EXPECT_EQ(read_standing(value.first(16)), std::nullopt);
  room[0] = std::byte{2};
  EXPECT_EQ(read_standing(room), std::nullopt) << "another version";
}

TEST(Standing, CostsTwentyBytesOfAPingAndAnAck) {
  StandingRoom room;
  const Bytes value = write_standing(somewhere, room);
  const std::array<std::byte, 4> address{};
  Ping ping{.sequence = SequenceNumber{7}, .node = "b", .source = {address, 7946, "a"}};
  const test::ByteVector bare_ping = encoded(ping);
  ping.standing = value;
  const test::ByteVector full_ping = encoded(ping);
  EXPECT_EQ(full_ping.size() - bare_ping.size(), 20u);
  Ack ack{.sequence = SequenceNumber{7}, .payload = {}};
  const test::ByteVector bare_ack = encoded(ack);
  ack.standing = value;
  const test::ByteVector full_ack = encoded(ack);
  EXPECT_EQ(full_ack.size() - bare_ack.size(), 20u);

  Scratch scratch;
  const auto ping_back = decode_ping(Bytes(full_ping).subspan(1), scratch);
  ASSERT_TRUE(ping_back);
  EXPECT_EQ(ping_back->node, "b");
  EXPECT_EQ(ping_back->source.node, "a");
  EXPECT_EQ(read_standing(ping_back->standing), somewhere);
  const auto ack_back = decode_ack(Bytes(full_ack).subspan(1), scratch);
  ASSERT_TRUE(ack_back);
  EXPECT_EQ(ack_back->sequence, SequenceNumber{7});
  EXPECT_EQ(read_standing(ack_back->standing), somewhere);
  EXPECT_TRUE(decode_ping(Bytes(bare_ping).subspan(1), scratch)->standing.empty());
  EXPECT_TRUE(decode_ack(Bytes(bare_ack).subspan(1), scratch)->standing.empty());
}

// A ping without a source, whose map is laid out as no sender of ours does.
TEST(Standing, IsFoundByTheLenientReaderToo) {
  StandingRoom room;
  Ping ping{.sequence = SequenceNumber{9}, .node = "b", .source = {}};
  ping.standing = write_standing(somewhere, room);
  Scratch scratch;
  const test::ByteVector bytes = encoded(ping);
  const auto back = decode_ping(Bytes(bytes).subspan(1), scratch);
  ASSERT_TRUE(back);
  EXPECT_EQ(read_standing(back->standing), somewhere);
}

TEST(Standing, MarksAPushPullHeader) {
  for (const bool knows : {false, true}) {
    std::array<std::byte, 128> room;
    Writer out(room);
    encode(PushPullHeader{.nodes = 3, .user_state_bytes = 9, .join = true, .digests = knows}, out,
           SignedStyle::unsigned_form);
    std::size_t used = 0;
    const auto header = decode_push_pull_header(out.written().subspan(1), used);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->digests, knows);
    EXPECT_EQ(header->nodes, 3);
    EXPECT_EQ(used + 1, out.size());
  }
}

}  // namespace
}  // namespace starling
