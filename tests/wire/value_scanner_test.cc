#include "wire/value_scanner.h"

#include <gtest/gtest.h>

#include "tests/support/vectors.h"

namespace starling {
namespace {

using test::ByteVector;

// One value of every kind, each in hexadecimal.
const std::vector<std::string> values = {
    "00",
    "7f",
    "ff",
    "c0",
    "c2",
    "c3",
    "80",
    "90",
    "a0",
    "a161",
    "93010203",
    "82a16101a16202",
    "c400",
    "c40161",
    "c5000161",
    "c60000000161",
    "c70005",
    "c7020561ff",
    "c800010561",
    "c9000000010561",
    "ca00000000",
    "cb0000000000000000",
    "cc80",
    "cd8000",
    "ce80000000",
    "cf8000000000000000",
    "d0ff",
    "d1ffff",
    "d2ffffffff",
    "d3ffffffffffffffff",
    "d40561",
    "d5056162",
    "d60561626364",
    "d7056162636465666768",
    "d80561626364656667686162636465666768",
    "d900",
    "d90161",
    "da000161",
    "db0000000161",
    "dc0000",
    "dc000101",
    "dd0000000101",
    "de0000",
    "de00010102",
    "df000000010102",
    "9190",
    "918191c0a0",
};

TEST(ValueScanner, FindsTheEndOfEveryKind) {
  for (const std::string& digits : values) {
    const ByteVector input = test::from_hex(digits + "c3c3");
    ValueScanner scanner;
    const auto taken = scanner.scan(input);
    EXPECT_EQ(taken, input.size() - 2) << digits;
    EXPECT_TRUE(scanner.complete()) << digits;
  }
}

TEST(ValueScanner, BoundariesDoNotMatter) {
  for (const std::string& digits : values) {
    const ByteVector input = test::from_hex(digits);
    for (std::size_t split = 0; split <= input.size(); ++split) {
      ValueScanner scanner;
      EXPECT_EQ(scanner.scan(Bytes(input).first(split)), split);
      EXPECT_EQ(scanner.complete(), split == input.size()) << digits << " at " << split;
      EXPECT_EQ(scanner.scan(Bytes(input).subspan(split)), input.size() - split);
      EXPECT_TRUE(scanner.complete()) << digits << " at " << split;
    }
  }
}

TEST(ValueScanner, RefusesTheUnusedByteAndDeepNesting) {
  ValueScanner scanner;
  const auto unused = scanner.scan(test::from_hex("92c0c1"));
  ASSERT_FALSE(unused);
  EXPECT_EQ(unused.error().fault, WireFault::malformed);
  EXPECT_EQ(unused.error().offset, 2u);
  ByteVector nested(msgpack_nesting_max, std::byte{0x91});
  nested.push_back(std::byte{0xc0});
  scanner.reset();
  EXPECT_EQ(scanner.scan(nested), nested.size());
  EXPECT_TRUE(scanner.complete());
  nested.insert(nested.begin(), std::byte{0x91});
  scanner.reset();
  const auto deep = scanner.scan(nested);
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().fault, WireFault::too_deep);
}

TEST(ValueScanner, LyingLengthsOnlyWait) {
  for (const std::string_view digits : {"ddffffffff", "dfffffffff", "dbffffffff", "c9ffffffff"}) {
    ValueScanner scanner;
    EXPECT_EQ(scanner.scan(test::from_hex(digits)), 5u);
    EXPECT_FALSE(scanner.complete()) << digits;
  }
}

TEST(ValueCarry, CutsARowOfValuesAtAnyBoundary) {
  ByteVector row;
  for (const std::string& digits : values) {
    const ByteVector value = test::from_hex(digits);
    row.insert(row.end(), value.begin(), value.end());
  }
  for (std::size_t chunk_bytes = 1; chunk_bytes <= row.size(); ++chunk_bytes) {
    std::array<std::byte, 32> room;
    ValueCarry carry(room);
    std::size_t found = 0;
    for (std::size_t at = 0; at < row.size(); at += chunk_bytes) {
      Bytes chunk = Bytes(row).subspan(at, std::min(chunk_bytes, row.size() - at));
      for (;;) {
        const auto value = carry.next(chunk);
        ASSERT_TRUE(value);
        if (value->empty()) break;
        ASSERT_LT(found, values.size());
        EXPECT_EQ(test::to_hex(*value), values[found++]);
      }
      EXPECT_TRUE(chunk.empty());
    }
    EXPECT_EQ(found, values.size());
    EXPECT_EQ(carry.held(), 0u);
  }
}

TEST(ValueCarry, RefusesWhatIsLongerThanItsRoom) {
  for (const std::size_t chunk_bytes : {1U, 3U, 6U}) {
    std::array<std::byte, 5> room;
    ValueCarry carry(room);
    const ByteVector fits = test::from_hex("a461626364");
    const ByteVector large = test::from_hex("a56162636465");
    Bytes chunk = fits;
    ASSERT_EQ(carry.next(chunk)->size(), 5u);
    std::optional<WireFault> fault;
    for (std::size_t at = 0; at < large.size() && !fault; at += chunk_bytes) {
      chunk = Bytes(large).subspan(at, chunk_bytes);
      const auto value = carry.next(chunk);
      if (!value) fault = value.error().fault;
    }
    EXPECT_EQ(fault, WireFault::too_large);
  }
}

TEST(ValueCarry, AFaultBehindItsRoomIsNotLookedAt) {
  // An array whose third element is the unused byte, in a room that ends before it.
  const ByteVector array = test::from_hex("93a16101c1");
  for (const std::size_t chunk_bytes : {1U, 5U}) {
    std::array<std::byte, 3> room;
    ValueCarry carry(room);
    std::optional<WireFault> fault;
    for (std::size_t at = 0; at < array.size() && !fault; at += chunk_bytes) {
      Bytes chunk = Bytes(array).subspan(at, chunk_bytes);
      const auto value = carry.next(chunk);
      if (!value) fault = value.error().fault;
    }
    EXPECT_EQ(fault, WireFault::too_large) << chunk_bytes;
  }
}

}  // namespace
}  // namespace starling
