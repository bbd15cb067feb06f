#include "wire/varint.h"

#include <gtest/gtest.h>

#include <vector>

namespace starling {
namespace {

std::vector<std::byte> varint_of(std::uint64_t value) {
  std::array<std::byte, varint_bytes_max> room;
  Writer out(room);
  put_varint(value, out);
  EXPECT_TRUE(out.ok());
  return {out.written().begin(), out.written().end()};
}

TEST(Varint, ReadsWhatItWrote) {
  for (std::uint32_t bits = 0; bits <= 64; ++bits) {
    const std::uint64_t power = bits == 64 ? 0 : std::uint64_t{1} << bits;
    for (const std::uint64_t value : {power - 1, power, power + 1}) {
      const auto bytes = varint_of(value);
      Reader in(bytes);
      EXPECT_EQ(read_varint(in), value);
      EXPECT_TRUE(in.ok());
      EXPECT_EQ(in.left(), 0U);
    }
  }
}

TEST(Varint, TakesABytePerSevenBits) {
  EXPECT_EQ(varint_of(0).size(), 1U);
  EXPECT_EQ(varint_of(127).size(), 1U);
  EXPECT_EQ(varint_of(128).size(), 2U);
  EXPECT_EQ(varint_of(UINT32_MAX).size(), 5U);
  EXPECT_EQ(varint_of(UINT64_MAX).size(), 10U);
}

WireFault fault_of(std::initializer_list<std::uint8_t> bytes) {
  std::vector<std::byte> input;
  for (const std::uint8_t byte : bytes) input.push_back(std::byte{byte});
  Reader in(input);
  EXPECT_EQ(read_varint(in), 0U);
  EXPECT_FALSE(in.ok());
  return in.error().fault;
}

TEST(Varint, Faults) {
  EXPECT_EQ(fault_of({}), WireFault::truncated);
  EXPECT_EQ(fault_of({0x80}), WireFault::truncated);
  EXPECT_EQ(fault_of({0x80, 0x00}), WireFault::malformed);
  EXPECT_EQ(fault_of({0xff, 0xff, 0x00}), WireFault::malformed);
  EXPECT_EQ(fault_of({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02}),
            WireFault::out_of_range);
  EXPECT_EQ(fault_of({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00}),
            WireFault::out_of_range);
}

}  // namespace
}  // namespace starling
