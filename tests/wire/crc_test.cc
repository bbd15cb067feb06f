#include "wire/crc.h"

#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace starling {
namespace {

using test::ByteVector;

// Bit by bit, from the definition.
std::uint32_t slow_crc(Bytes bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

TEST(Crc, IsTheOneOfEthernet) {
  EXPECT_EQ(crc32_ieee(as_bytes("123456789")), 0xcbf43926u);
  EXPECT_EQ(crc32_ieee({}), 0u);
  ByteVector bytes;
  for (unsigned i = 0; i < 600; ++i) {
    EXPECT_EQ(crc32_ieee(bytes), slow_crc(bytes)) << i;
    bytes.push_back(static_cast<std::byte>(i * 7));
  }
}

TEST(Crc, HeaderAndBack) {
  ByteVector message = test::from_hex("00000000000801");
  fill_crc_header(std::span<std::byte, crc_header_bytes>(message.data(), crc_header_bytes),
                  Bytes(message).subspan(crc_header_bytes));
  EXPECT_EQ(message[0], std::byte{12});
  const auto inner = strip_crc(message);
  ASSERT_TRUE(inner);
  EXPECT_EQ(test::to_hex(*inner), "0801");
}

TEST(Crc, EveryFlippedBitIsNoticed) {
  ByteVector message = test::from_hex("00000000000801ff7e");
  fill_crc_header(std::span<std::byte, crc_header_bytes>(message.data(), crc_header_bytes),
                  Bytes(message).subspan(crc_header_bytes));
  for (std::size_t bit = 8; bit < 8 * message.size(); ++bit) {
    ByteVector flipped = message;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto inner = strip_crc(flipped);
    ASSERT_FALSE(inner) << bit;
    EXPECT_EQ(inner.error().fault, WireFault::mismatch);
    EXPECT_STREQ(inner.error().layer, "crc");
  }
}

TEST(Crc, ShortMessagesAreTruncated) {
  for (std::size_t bytes = 0; bytes < crc_header_bytes; ++bytes) {
    const auto inner = strip_crc(ByteVector(bytes, std::byte{12}));
    ASSERT_FALSE(inner);
    EXPECT_EQ(inner.error().fault, WireFault::truncated);
  }
  // A checksum over nothing is right for a message without content.
  const auto nothing = strip_crc(test::from_hex("0c00000000"));
  ASSERT_TRUE(nothing);
  EXPECT_TRUE(nothing->empty());
}

}  // namespace
}  // namespace starling
