// The fast reader must never decide anything: whatever it takes, the lenient reader reads the same.
#include "wire/canonical.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/vectors.h"
#include "wire/push_pull.h"

namespace starling {
namespace {

using test::ByteVector;
using test::from_hex;

TEST(Canonical, ReadsWhatGoWrites) {
  const ByteVector body = from_hex("83a14105a142a3616263a143c0");
  CanonicalReader in(body);
  std::uint8_t number = 0;
  std::string_view text;
  Bytes bytes = body;
  EXPECT_TRUE(in.map(3) && in.key("A") && in.u8(number) && in.key("B") && in.text(text) &&
              in.key("C") && in.bytes(bytes));
  EXPECT_EQ(number, 5);
  EXPECT_EQ(text, "abc");
  EXPECT_TRUE(bytes.empty());
  EXPECT_EQ(in.used(), body.size());
}

std::optional<std::uint32_t> number_of(const char* hex, unsigned field_bytes) {
  const ByteVector body = from_hex(hex);
  CanonicalReader in(body);
  std::uint8_t narrow = 0;
  std::uint16_t middle = 0;
  std::uint32_t wide = 0;
  const bool read = field_bytes == 1   ? in.u8(narrow)
                    : field_bytes == 2 ? in.u16(middle)
                                       : in.u32(wide);
  if (!read) return std::nullopt;
  return narrow + middle + wide;
}

TEST(Canonical, LeavesNumbersOfOtherFormsAlone) {
  EXPECT_EQ(number_of("7f", 1), 127u);
  EXPECT_EQ(number_of("ccff", 1), 255u);
  EXPECT_EQ(number_of("cd1f0a", 2), 7946u);
  EXPECT_EQ(number_of("ceffffffff", 4), UINT32_MAX);
  for (const char* wide_or_cut : {"cd0001", "", "cc", "ce00000001", "d001", "ff", "c0", "cf"}) {
    EXPECT_EQ(number_of(wide_or_cut, 1), std::nullopt) << wide_or_cut;
  }
  EXPECT_EQ(number_of("ce00000001", 2), std::nullopt);
  EXPECT_EQ(number_of("ce000000", 4), std::nullopt);
}

TEST(Canonical, LeavesLongAndCutTextsAlone) {
  for (const char* hex :
       {"", "a3ab", "da", "da00", "da000241", "d90141", "db0000000141", "c4", "90"}) {
    const ByteVector body = from_hex(hex);
    CanonicalReader in(body);
    std::string_view text;
    EXPECT_FALSE(in.text(text)) << hex;
  }
  const ByteVector nil = from_hex("c0");
  std::string_view text;
  EXPECT_FALSE(CanonicalReader(nil).text(text)) << "Go writes the empty text as a0";
}

// What a decoder made of a body, as text.
std::string told(const WireError& error) {
  return std::string("error ") + error.layer + "." + error.field + " " +
         std::string(to_text(error.fault));
}
std::string told(const Ping& ping) {
  return std::to_string(to_number(ping.sequence)) + "|" + std::string(ping.node) + "|" +
         test::to_hex(ping.source.address) + "|" + std::to_string(ping.source.port) + "|" +
         std::string(ping.source.node);
}
std::string told(const Ack& ack) {
  return std::to_string(to_number(ack.sequence)) + "|" + test::to_hex(ack.payload);
}
std::string told(const Suspect& suspect) {
  return std::to_string(to_number(suspect.incarnation)) + "|" + std::string(suspect.node) + "|" +
         std::string(suspect.from);
}
std::string told(const Alive& alive) {
  return std::to_string(to_number(alive.incarnation)) + "|" + std::string(alive.node) + "|" +
         test::to_hex(alive.address) + "|" + std::to_string(alive.port) + "|" +
         test::to_hex(alive.meta) + "|" + test::to_hex(alive.versions);
}
std::string told(const NodeState& node) {
  return std::string(node.name) + "|" + test::to_hex(node.address) + "|" +
         std::to_string(node.port) + "|" + test::to_hex(node.meta) + "|" +
         std::to_string(to_number(node.incarnation)) + "|" + std::to_string(node.state) + "|" +
         test::to_hex(node.versions);
}
template <class Message>
std::string told(const Decoded<Message>& decoded) {
  return decoded ? told(*decoded) : told(decoded.error());
}

Decoded<NodeState> decode_node(Bytes body, Scratch& scratch) {
  std::size_t used = 0;
  return decode_node_state(body, scratch, used);
}

// Damages a body in many ways. The same body behind a map header of 16 bits is out of the fast
// reader's reach, so both readers can be compared.
template <class Decode>
void compare(ByteVector body, Decode decode) {
  ASSERT_EQ(std::to_integer<unsigned>(body[0]) & 0xf0U, 0x80U);
  std::mt19937 random(3);
  const auto differ = [&](const ByteVector& fast) {
    ByteVector slow = from_hex("de00");
    slow.push_back(fast[0] & std::byte{0x0f});
    slow.insert(slow.end(), fast.begin() + 1, fast.end());
    Scratch fast_scratch, slow_scratch;
    const auto by_fast = decode(Bytes(fast), fast_scratch);
    const auto by_slow = decode(Bytes(slow), slow_scratch);
    EXPECT_EQ(told(by_fast), told(by_slow)) << test::to_hex(fast);
  };
  differ(body);
  for (std::size_t cut = 1; cut < body.size(); ++cut) {
    differ(ByteVector(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(cut)));
  }
  for (int round = 0; round < 20'000; ++round) {
    ByteVector damaged = body;
    for (int hits = 1 + round % 3; hits > 0; --hits) {
      damaged[1 + random() % (damaged.size() - 1)] = static_cast<std::byte>(random());
    }
    differ(damaged);
  }
}

template <class Message>
ByteVector body_of(const Message& message, std::size_t type_bytes = 1) {
  std::array<std::byte, 2048> room;
  Writer out(room);
  encode(message, out);
  return {out.written().begin() + static_cast<std::ptrdiff_t>(type_bytes), out.written().end()};
}

TEST(Canonical, AgreesWithTheLenientReader) {
  const ByteVector address = from_hex("0a000001");
  const ByteVector versions = from_hex("010502020505");
  const std::string meta(100, 'm');
  compare(body_of(Ping{.sequence = SequenceNumber{123456},
                       .node = "b",
                       .source = {.address = address, .port = 7946, .node = "a"}}),
          decode_ping);
  compare(body_of(Ack{.sequence = SequenceNumber{200}, .payload = address}), decode_ack);
  compare(body_of(Ack{.sequence = SequenceNumber{7}, .payload = {}}), decode_ack);
  compare(body_of(Suspect{.incarnation = Incarnation{70'000}, .node = "c", .from = "d"}),
          decode_suspect);
  compare(body_of(Alive{.incarnation = Incarnation{3},
                        .node = "some-node",
                        .address = address,
                        .port = 7946,
                        .meta = as_bytes(meta),
                        .versions = versions}),
          decode_alive);
  compare(body_of(NodeState{.name = "some-node",
                            .address = address,
                            .port = 7946,
                            .meta = as_bytes("m"),
                            .incarnation = Incarnation{3},
                            .state = 2,
                            .versions = versions},
                  0),
          decode_node);
}

}  // namespace
}  // namespace starling
