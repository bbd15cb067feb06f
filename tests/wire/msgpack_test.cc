#include "wire/msgpack.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/alloc_counter.h"
#include "tests/support/vectors.h"

namespace starling {
namespace {

using test::ByteVector;

// Reads one value from hexadecimal text; shows the fault when there is one.
template <class Read>
auto reading(std::string_view digits, Read&& read) {
  const ByteVector input = test::from_hex(digits);
  Reader in(input, "test");
  const auto value = read(in);
  using Value = std::decay_t<decltype(value)>;
  return in.ok() ? Decoded<Value>(value) : Decoded<Value>(std::unexpected(in.error()));
}

auto read_u32(std::string_view digits) {
  return reading(digits, msgpack::read_u32);
}
auto read_signed(std::string_view digits) {
  return reading(digits, [](Reader& in) { return msgpack::read_signed(in); });
}
auto read_text(std::string_view digits) {
  return reading(digits, [](Reader& in) { return std::string(msgpack::read_text(in)); });
}
auto read_bytes(std::string_view digits) {
  Scratch scratch;
  return reading(digits,
                 [&](Reader& in) { return test::to_hex(msgpack::read_bytes(in, scratch)); });
}

// The fault, or nothing when the read succeeded.
template <class Value>
std::optional<WireFault> fault(const Decoded<Value>& value) {
  return value ? std::nullopt : std::optional(value.error().fault);
}

template <class Write>
std::string written(Write&& write) {
  std::array<std::byte, 70'000> room;
  Writer out(room);
  write(out);
  EXPECT_TRUE(out.ok());
  return test::to_hex(out.written());
}

TEST(Msgpack, IntegersOfEveryFamilyAreRead) {
  for (const std::string_view digits : {"07", "cc07", "cd0007", "ce00000007", "cf0000000000000007",
                                        "d007", "d10007", "d200000007", "d30000000000000007"}) {
    EXPECT_EQ(read_u32(digits), 7u) << digits;
    EXPECT_EQ(read_signed(digits), 7) << digits;
  }
  EXPECT_EQ(read_u32("c0"), 0u);
  EXPECT_EQ(read_signed("c0"), 0);
  EXPECT_EQ(read_u32("ceffffffff"), 0xffffffffu);
  EXPECT_EQ(read_signed("ff"), -1);
  EXPECT_EQ(read_signed("d0ff"), -1);
  EXPECT_EQ(read_signed("d1ffff"), -1);
  EXPECT_EQ(read_signed("d2ffffffff"), -1);
  EXPECT_EQ(read_signed("d38000000000000000"), INT64_MIN);
  EXPECT_EQ(read_signed("cf7fffffffffffffff"), INT64_MAX);
}

TEST(Msgpack, IntegersOutOfRangeAreRefused) {
  for (const std::string_view digits : {"ff", "d0ff", "d3ffffffffffffffff", "cf0000000100000000"}) {
    EXPECT_EQ(fault(read_u32(digits)), WireFault::out_of_range) << digits;
  }
  EXPECT_EQ(fault(reading("cd0100", msgpack::read_u8)), WireFault::out_of_range);
  EXPECT_EQ(fault(reading("ce00010000", msgpack::read_u16)), WireFault::out_of_range);
  EXPECT_EQ(fault(read_signed("cf8000000000000000")), WireFault::out_of_range);
  EXPECT_EQ(fault(reading("04", [](Reader& in) { return msgpack::read_signed(in, 0, 3); })),
            WireFault::out_of_range);
  EXPECT_EQ(fault(reading("0a", [](Reader& in) { return msgpack::read_unsigned(in, 9); })),
            WireFault::out_of_range);
}

TEST(Msgpack, OtherKindsAreNotIntegers) {
  for (const std::string_view digits :
       {"c2", "c3", "ca3f800000", "cb3ff0000000000000", "a131", "90", "80", "c40131", "d40000"}) {
    EXPECT_EQ(fault(read_u32(digits)), WireFault::wrong_type) << digits;
    EXPECT_EQ(fault(read_signed(digits)), WireFault::wrong_type) << digits;
  }
  EXPECT_EQ(fault(read_u32("c1")), WireFault::malformed);
  for (const std::string_view digits : {"", "cc", "cd00", "ce000000", "cf00000000000000"}) {
    EXPECT_EQ(fault(read_u32(digits)), WireFault::truncated) << digits;
  }
}

TEST(Msgpack, BooleansAreReadAlsoAsOneAndZero) {
  EXPECT_EQ(reading("c3", msgpack::read_bool), true);
  EXPECT_EQ(reading("01", msgpack::read_bool), true);
  EXPECT_EQ(reading("c2", msgpack::read_bool), false);
  EXPECT_EQ(reading("00", msgpack::read_bool), false);
  EXPECT_EQ(reading("c0", msgpack::read_bool), false);
  for (const std::string_view digits : {"02", "cc01", "ff", "a0"}) {
    EXPECT_EQ(fault(reading(digits, msgpack::read_bool)), WireFault::wrong_type) << digits;
  }
}

TEST(Msgpack, FloatsAreReadFromAnyNumber) {
  EXPECT_EQ(reading("cb3ff8000000000000", msgpack::read_float64), 1.5);
  EXPECT_EQ(reading("ca3fc00000", msgpack::read_float64), 1.5);
  EXPECT_EQ(reading("07", msgpack::read_float64), 7.0);
  EXPECT_EQ(reading("d0fe", msgpack::read_float64), -2.0);
  EXPECT_EQ(reading("c0", msgpack::read_float64), 0.0);
  EXPECT_EQ(fault(reading("c3", msgpack::read_float64)), WireFault::wrong_type);
}

TEST(Msgpack, TextIsReadFromStrAndBin) {
  for (const std::string_view digits :
       {"a3616263", "d903616263", "da0003616263", "db00000003616263", "c403616263", "c50003616263",
        "c600000003616263"}) {
    EXPECT_EQ(read_text(digits), "abc") << digits;
    EXPECT_EQ(reading(digits, [](Reader& in) { return std::string(msgpack::read_key(in)); }),
              "abc");
    EXPECT_EQ(read_bytes(digits), "616263") << digits;
  }
  EXPECT_EQ(read_text("c0"), "");
  EXPECT_EQ(fault(read_text("05")), WireFault::wrong_type);
  EXPECT_EQ(fault(read_text("9161")), WireFault::wrong_type);
  EXPECT_EQ(fault(read_text("c1")), WireFault::malformed);
  EXPECT_EQ(fault(read_text("a36162")), WireFault::truncated);
  EXPECT_EQ(fault(read_text("dbffffffff61")), WireFault::truncated);
}

TEST(Msgpack, BytesAreReadFromArraysAndMapsOfIntegers) {
  EXPECT_EQ(read_bytes("93610763"), "610763");
  EXPECT_EQ(read_bytes("93cc80c0d10001"), "800001");
  EXPECT_EQ(read_bytes("dc000261cc62"), "6162");
  EXPECT_EQ(read_bytes("dd0000000161"), "61");
  EXPECT_EQ(read_bytes("8261620304"), "61620304");
  EXPECT_EQ(read_bytes("de00016162"), "6162");
  EXPECT_EQ(read_bytes("90"), "");
  EXPECT_EQ(read_bytes("c0"), "");
  EXPECT_EQ(fault(read_bytes("91cd0100")), WireFault::out_of_range);
  EXPECT_EQ(fault(read_bytes("91a161")), WireFault::wrong_type);
  EXPECT_EQ(fault(read_bytes("05")), WireFault::wrong_type);
  EXPECT_EQ(fault(read_bytes("ddffffffff00")), WireFault::truncated);
  EXPECT_EQ(fault(read_bytes("dfffffffff00")), WireFault::truncated);
  const std::string zeros(2 * 1024, '0');
  EXPECT_EQ(read_bytes("dc0400" + zeros), zeros);
  EXPECT_EQ(fault(read_bytes("dc0401" + zeros + "00")), WireFault::no_space);
  Scratch scratch;
  EXPECT_EQ(
      reading("93616263", [&](Reader& in) { return std::string(msgpack::read_text(in, scratch)); }),
      "abc");
}

TEST(Msgpack, HeadersOfAnyWidth) {
  const auto array = [](std::string_view digits) {
    return reading(digits, msgpack::read_array_header);
  };
  const auto map = [](std::string_view digits) {
    return reading(digits, msgpack::read_map_header);
  };
  EXPECT_EQ(array("9f"), 15u);
  EXPECT_EQ(array("dc0010"), 16u);
  EXPECT_EQ(array("dd00010000"), 65536u);
  EXPECT_EQ(array("c0"), 0u);
  EXPECT_EQ(map("8f"), 15u);
  EXPECT_EQ(map("de0010"), 16u);
  EXPECT_EQ(map("dfffffffff"), 0xffffffffu);
  EXPECT_EQ(map("c0"), 0u);
  EXPECT_EQ(fault(array("80")), WireFault::wrong_type);
  EXPECT_EQ(fault(map("90")), WireFault::wrong_type);
  EXPECT_EQ(fault(map("de00")), WireFault::truncated);
}

struct Pair {
  std::uint32_t number = 0;
  std::string text;
};
constexpr std::array<std::string_view, 2> pair_keys{"N", "Text"};

Decoded<Pair> read_pair(std::string_view digits) {
  const ByteVector input = test::from_hex(digits);
  Reader in(input, "pair");
  Pair pair;
  msgpack::read_struct<pair_keys>(in, [&](std::size_t field) {
    if (field == 0) {
      pair.number = msgpack::read_u32(in);
    } else {
      pair.text = msgpack::read_text(in);
    }
  });
  if (!in.ok()) return std::unexpected(in.error());
  return pair;
}

void expect_pair(std::string_view digits, std::uint32_t number, std::string_view text) {
  const auto pair = read_pair(digits);
  ASSERT_TRUE(pair) << digits << " " << to_text(pair.error().fault);
  EXPECT_EQ(pair->number, number) << digits;
  EXPECT_EQ(pair->text, text) << digits;
}

TEST(Msgpack, StructsInEveryForm) {
  expect_pair("82a14e07a454657874a161", 7, "a");         // map
  expect_pair("82a454657874a161a14e07", 7, "a");         // any order
  expect_pair("de0001a14e07", 7, "");                    // map16
  expect_pair("df00000001a14e07", 7, "");                // map32
  expect_pair("9207a161", 7, "a");                       // array
  expect_pair("9107", 7, "");                            // short array
  expect_pair("9407a16180c0", 7, "a");                   // long array
  expect_pair("dc000207a161", 7, "a");                   // array16
  expect_pair("c0", 0, "");                              // nil
  expect_pair("80", 0, "");                              // empty
  expect_pair("82a14e07a14e08", 8, "");                  // the last wins
  expect_pair("82d9014e07c40454657874a161", 7, "a");     // keys as str8 and bin8
  expect_pair("82a16e05a14e07", 7, "");                  // other case
  expect_pair("82c005a14e07", 7, "");                    // nil key
  expect_pair("82a1588293010203c0a161a0a14e07", 7, "");  // unknown, with an array as key
  expect_pair("83a14107a142c70102ffa14e07", 7, "");      // unknown extension
  expect_pair("82a14ec0a454657874c0", 0, "");            // nil fields
}

TEST(Msgpack, StructErrorsNameTheField) {
  const auto wrong = read_pair("82a14e07a45465787405");
  ASSERT_FALSE(wrong);
  EXPECT_STREQ(wrong.error().layer, "pair");
  EXPECT_STREQ(wrong.error().field, "Text");
  EXPECT_EQ(wrong.error().fault, WireFault::wrong_type);
  EXPECT_EQ(wrong.error().offset, 9u);
  EXPECT_EQ(fault(read_pair("")), WireFault::truncated);
  EXPECT_EQ(fault(read_pair("82a14e07")), WireFault::truncated);
  EXPECT_EQ(fault(read_pair("81a14e")), WireFault::truncated);
  EXPECT_EQ(fault(read_pair("810505")), WireFault::wrong_type);  // integer key
  EXPECT_EQ(fault(read_pair("05")), WireFault::wrong_type);
  EXPECT_EQ(fault(read_pair("81a141c1")), WireFault::malformed);
  EXPECT_EQ(fault(read_pair("dfffffffff")), WireFault::truncated);
}

TEST(Msgpack, TakeValueGivesItsBytes) {
  const ByteVector input = test::from_hex("07829101c0a16101c3");
  Reader in(input);
  EXPECT_EQ(msgpack::read_u32(in), 7u);
  EXPECT_EQ(msgpack::peek(in), msgpack::Kind::map);
  EXPECT_EQ(test::to_hex(msgpack::take_value(in)), "829101c0a16101");
  EXPECT_FALSE(msgpack::read_nil(in));
  EXPECT_TRUE(msgpack::read_bool(in));
  EXPECT_EQ(msgpack::peek(in), msgpack::Kind::none);
  msgpack::skip_value(in);
  EXPECT_EQ(in.error().fault, WireFault::truncated);
}

TEST(Msgpack, WritesUnsignedSmallest) {
  const auto hex = [](std::uint64_t value) {
    return written([=](Writer& out) { msgpack::write_unsigned(out, value); });
  };
  EXPECT_EQ(hex(0), "00");
  EXPECT_EQ(hex(127), "7f");
  EXPECT_EQ(hex(128), "cc80");
  EXPECT_EQ(hex(256), "cd0100");
  EXPECT_EQ(hex(65536), "ce00010000");
  EXPECT_EQ(hex(4294967295), "ceffffffff");
  EXPECT_EQ(hex(4294967296), "cf0000000100000000");
}

TEST(Msgpack, WritesSignedInBothStyles) {
  const auto hex = [](std::int64_t value, SignedStyle style) {
    return written([=](Writer& out) { msgpack::write_signed(out, value, style); });
  };
  const auto older = SignedStyle::unsigned_form;
  const auto newer = SignedStyle::signed_form;
  EXPECT_EQ(hex(127, older), "7f");
  EXPECT_EQ(hex(127, newer), "7f");
  EXPECT_EQ(hex(200, older), "ccc8");
  EXPECT_EQ(hex(200, newer), "d100c8");
  EXPECT_EQ(hex(40000, older), "cd9c40");
  EXPECT_EQ(hex(40000, newer), "d200009c40");
  EXPECT_EQ(hex(70000, older), "ce00011170");
  EXPECT_EQ(hex(70000, newer), "d200011170");
  EXPECT_EQ(hex(INT64_MAX, older), "cf7fffffffffffffff");
  EXPECT_EQ(hex(INT64_MAX, newer), "d37fffffffffffffff");
  for (const SignedStyle style : {older, newer}) {
    EXPECT_EQ(hex(-1, style), "ff");
    EXPECT_EQ(hex(-32, style), "e0");
    EXPECT_EQ(hex(-33, style), "d0df");
    EXPECT_EQ(hex(-129, style), "d1ff7f");
    EXPECT_EQ(hex(-32769, style), "d2ffff7fff");
    EXPECT_EQ(hex(INT64_MIN, style), "d38000000000000000");
  }
}

TEST(Msgpack, WritesTextAndBytesInBothDialects) {
  const auto head = [](std::size_t bytes, auto write) {
    const std::string text(bytes, 'x');
    const std::string hex = written([&](Writer& out) { write(out, std::string_view(text)); });
    return hex.substr(0, hex.size() - 2 * bytes);
  };
  const auto text = [](Writer& out, std::string_view value) { msgpack::write_text(out, value); };
  const auto str = [](Writer& out, std::string_view value) { msgpack::write_str(out, value); };
  const auto bytes = [](Writer& out, std::string_view value) {
    msgpack::write_bytes(out, as_bytes(value));
  };
  const auto bin = [](Writer& out, std::string_view value) {
    msgpack::write_bin(out, as_bytes(value));
  };
  EXPECT_EQ(head(0, text), "a0");
  EXPECT_EQ(head(31, text), "bf");
  EXPECT_EQ(head(32, text), "da0020");
  EXPECT_EQ(head(65535, text), "daffff");
  EXPECT_EQ(head(65536, text), "db00010000");
  EXPECT_EQ(head(0, bytes), "c0");
  EXPECT_EQ(head(1, bytes), "a1");
  EXPECT_EQ(head(255, bytes), "da00ff");
  EXPECT_EQ(head(31, str), "bf");
  EXPECT_EQ(head(32, str), "d920");
  EXPECT_EQ(head(255, str), "d9ff");
  EXPECT_EQ(head(256, str), "da0100");
  EXPECT_EQ(head(0, bin), "c400");
  EXPECT_EQ(head(256, bin), "c50100");
  EXPECT_EQ(head(65536, bin), "c600010000");
  EXPECT_EQ(written([](Writer& out) { msgpack::write_key(out, "SeqNo"); }), "a55365714e6f");
  EXPECT_EQ(written([](Writer& out) { msgpack::write_raw_header(out, 40); }), "da0028");
}

TEST(Msgpack, WritesTheRest) {
  EXPECT_EQ(written([](Writer& out) {
              msgpack::write_nil(out);
              msgpack::write_bool(out, true);
              msgpack::write_bool(out, false);
              msgpack::write_float64(out, 1.5);
              msgpack::write_array_header(out, 15);
              msgpack::write_array_header(out, 16);
              msgpack::write_array_header(out, 65536);
              msgpack::write_map_header(out, 15);
              msgpack::write_map_header(out, 16);
              msgpack::write_map_header(out, 65536);
            }),
            "c0c3c2cb3ff80000000000009fdc0010dd000100008fde0010df00010000");
}

TEST(Msgpack, NothingAllocates) {
  const ByteVector input = test::from_hex("9307a161810203");
  Scratch scratch;
  std::array<std::byte, 64> room;
  const test::AllocationCounter allocations;
  Reader in(input);
  Writer out(room);
  const auto count = msgpack::read_array_header(in);
  const auto number = msgpack::read_u32(in);
  const auto text = msgpack::read_text(in);
  const auto bytes = msgpack::read_bytes(in, scratch);
  msgpack::write_unsigned(out, number);
  msgpack::write_text(out, text);
  msgpack::write_bytes(out, bytes);
  EXPECT_EQ(allocations.count(), 0u);
  EXPECT_TRUE(in.ok());
  EXPECT_EQ(count, 3u);
  EXPECT_EQ(test::to_hex(out.written()), "07a161a20203");
}

}  // namespace
}  // namespace starling
