// What the recorded vectors do not show; see vectors_test.cc for those.
#include "wire/messages.h"

#include <gtest/gtest.h>

#include "tests/support/alloc_counter.h"
#include "tests/support/vectors.h"

namespace starling {
namespace {

using test::ByteVector;

template <class Message>
std::string encoded(const Message& message) {
  std::array<std::byte, 2048> room;
  Writer out(room);
  encode(message, out);
  EXPECT_TRUE(out.ok());
  return test::to_hex(out.written());
}

TEST(Messages, OptionalSourceFieldsAreLeftOutOneByOne) {
  const ByteVector address = test::from_hex("0a000001");
  EXPECT_EQ(encoded(Ping{.sequence = SequenceNumber{1}, .node = "b", .source = {}}),
            "0082a44e6f6465a162a55365714e6f01");
  EXPECT_EQ(encoded(Ping{.sequence = SequenceNumber{1},
                         .node = "b",
                         .source = {.address = address, .port = 0, .node = {}}}),
            "0083a44e6f6465a162a55365714e6f01aa536f7572636541646472a40a000001");
  EXPECT_EQ(encoded(Ping{.sequence = SequenceNumber{1},
                         .node = "b",
                         .source = {.address = {}, .port = 7, .node = "x"}}),
            "0084a44e6f6465a162a55365714e6f01aa536f757263654e6f6465a178aa536f75726365506f727407");
}

TEST(Messages, ArraysFollowTheDeclaration) {
  Scratch scratch;
  const ByteVector ping = test::from_hex("9501a162a40a0000010703");
  const auto refused = decode_ping(ping, scratch);
  ASSERT_FALSE(refused);
  EXPECT_STREQ(refused.error().layer, "ping");
  EXPECT_STREQ(refused.error().field, "SourceNode");
  EXPECT_EQ(refused.error().fault, WireFault::wrong_type);

  const ByteVector alive = test::from_hex("9603a161a40a000001cd1f0aa16da6010502020505");
  const auto message = decode_alive(alive, scratch);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->incarnation, Incarnation{3});
  EXPECT_EQ(message->node, "a");
  EXPECT_EQ(test::to_hex(message->address), "0a000001");
  EXPECT_EQ(message->port, 7946);
  EXPECT_EQ(as_text(message->meta), "m");
  EXPECT_EQ(decode_versions(message->versions), Versions());

  const ByteVector indirect = test::from_hex("9801a40a00000307a163c3a40a00000108a161");
  const auto request = decode_indirect_ping(indirect, scratch);
  ASSERT_TRUE(request);
  EXPECT_EQ(test::to_hex(request->target), "0a000003");
  EXPECT_EQ(request->port, 7);
  EXPECT_EQ(request->node, "c");
  EXPECT_TRUE(request->nack);
  EXPECT_EQ(request->source.port, 8);
  EXPECT_EQ(request->source.node, "a");

  const ByteVector suspect = test::from_hex("9307a163a161");
  const auto accusation = decode_suspect(suspect, scratch);
  ASSERT_TRUE(accusation);
  EXPECT_EQ(accusation->incarnation, Incarnation{7});
  EXPECT_EQ(accusation->node, "c");
  EXPECT_EQ(accusation->from, "a");
}

TEST(Messages, FieldsBeyondTheirWidthAreRefused) {
  Scratch scratch;
  const auto port = decode_alive(test::from_hex("81a4506f7274ce00010000"), scratch);
  ASSERT_FALSE(port);
  EXPECT_STREQ(port.error().layer, "alive");
  EXPECT_STREQ(port.error().field, "Port");
  EXPECT_EQ(port.error().fault, WireFault::out_of_range);
  EXPECT_EQ(port.error().offset, 6u);
  const auto algorithm = decode_compressed(test::from_hex("81a4416c676fcd0100"), scratch);
  ASSERT_FALSE(algorithm);
  EXPECT_STREQ(algorithm.error().field, "Algo");
}

TEST(Messages, EveryPrefixIsTruncated) {
  ByteVector room(256);
  Writer out(room);
  const ByteVector address = test::from_hex("0a000001");
  encode(Alive{.incarnation = Incarnation{70'000},
               .node = "alpha",
               .address = address,
               .port = 7946,
               .meta = as_bytes("role=web"),
               .versions = encode_versions({})},
         out);
  const Bytes body = out.written().subspan(1);
  Scratch scratch;
  ASSERT_TRUE(decode_alive(body, scratch));
  for (std::size_t bytes = 0; bytes < body.size(); ++bytes) {
    // A copy of its own, so that a sanitizer sees a read past the end.
    const ByteVector prefix = test::to_vector(body.first(bytes));
    const auto message = decode_alive(prefix, scratch);
    ASSERT_FALSE(message) << bytes;
    EXPECT_EQ(message.error().fault, WireFault::truncated);
  }
  for (std::size_t bytes = 0; bytes < out.size(); ++bytes) {
    ByteVector small(bytes);
    Writer cut(small);
    encode(*decode_alive(body, scratch), cut);
    EXPECT_FALSE(cut.ok());
  }
}

TEST(Messages, VersionsNeedSixBytes) {
  const Versions versions{.protocol_min = 1,
                          .protocol_max = 5,
                          .protocol_current = 2,
                          .delegate_min = 3,
                          .delegate_max = 4,
                          .delegate_current = 0};
  EXPECT_EQ(test::to_hex(encode_versions(versions)), "010502030400");
  EXPECT_EQ(decode_versions(encode_versions(versions)), versions);
  EXPECT_EQ(decode_versions(test::from_hex("01050203040099")), versions);
  EXPECT_EQ(decode_versions(test::from_hex("0105020304")), std::nullopt);
  EXPECT_EQ(decode_versions({}), std::nullopt);
}

TEST(Messages, APeekFindsTheSubjectOfWhatGoWrites) {
  const auto peek = [](const auto& message) {
    std::array<std::byte, 512> room;
    Writer out(room);
    encode(message, out);
    return std::string(peek_node(out.written()));
  };
  EXPECT_EQ(peek(Alive{.incarnation = Incarnation{300}, .node = "a", .port = 1}), "a");
  EXPECT_EQ(peek(Suspect{.node = "b", .from = "x"}), "b");
  EXPECT_EQ(peek(Dead{.node = "c", .from = "x"}), "c");
  EXPECT_EQ(peek(Ping{.node = "d"}), "");
  EXPECT_EQ(peek_node({}), "");
  const std::array<std::byte, 3> cut{std::byte{4}, std::byte{0x86}, std::byte{0xa4}};
  EXPECT_EQ(peek_node(cut), "");
}

TEST(Messages, TypesHaveNames) {
  for (unsigned type = 0; type <= 13; ++type) {
    EXPECT_NE(to_text(static_cast<MessageType>(type)), "unknown") << type;
  }
  EXPECT_EQ(to_text(MessageType{14}), "unknown");
}

TEST(Messages, NothingAllocates) {
  const ByteVector ping = test::from_hex(
      "85a44e6f6465a5627261766fa55365714e6f2aaa536f7572636541646472a40a000001aa536f757263654e6f6465"
      "a5616c706861aa536f75726365506f7274cd1f0a");
  const ByteVector ack = test::from_hex("82a55365714e6f01a75061796c6f616493010203");
  std::array<std::byte, 256> room;
  Scratch scratch;
  const test::AllocationCounter allocations;
  const auto decoded_ping = decode_ping(ping, scratch);
  const auto decoded_ack = decode_ack(ack, scratch);
  const auto refused = decode_alive(ack, scratch);
  Writer out(room);
  if (decoded_ping) encode(*decoded_ping, out);
  if (decoded_ack) encode(*decoded_ack, out);
  EXPECT_EQ(allocations.count(), 0u);
  EXPECT_TRUE(refused);  // only unknown keys
  EXPECT_EQ(test::to_hex(out.written()).substr(2, 2 * ping.size()), test::to_hex(ping));
}

}  // namespace
}  // namespace starling
