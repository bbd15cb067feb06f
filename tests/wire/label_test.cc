#include "wire/label.h"

#include <gtest/gtest.h>

#include <optional>

#include "tests/support/vectors.h"

namespace starling {
namespace {

using test::ByteVector;

constexpr LabelPolicy no_label{};
constexpr LabelPolicy blue{.label = "blue"};
constexpr LabelPolicy skipping{.label = "blue", .skip_inbound_check = true};
constexpr std::string_view header = "f404626c7565";

std::optional<std::string> stripped(std::string_view digits, const LabelPolicy& policy) {
  const ByteVector packet = test::from_hex(digits);
  const auto rest = strip_label(packet, policy);
  if (!rest) return std::nullopt;
  return test::to_hex(*rest);
}

std::optional<WireFault> fault(std::string_view digits, const LabelPolicy& policy) {
  const auto rest = strip_label(test::from_hex(digits), policy);
  return rest ? std::nullopt : std::optional(rest.error().fault);
}

TEST(Label, HeaderAndBack) {
  std::array<std::byte, 300> room;
  Writer out(room);
  encode_label("", out);
  EXPECT_EQ(out.size(), 0u);
  encode_label("blue", out);
  EXPECT_EQ(test::to_hex(out.written()), header);
  EXPECT_EQ(label_overhead("blue"), out.size());
  EXPECT_EQ(label_overhead(""), 0u);
  const std::string longest(label_bytes_max, 'L');
  out.rewind(0);
  encode_label(longest, out);
  out.u8(7);
  const auto rest = strip_label(out.written(), {.label = longest});
  ASSERT_TRUE(rest);
  EXPECT_EQ(test::to_hex(*rest), "07");
}

TEST(Label, DatagramsNeedTheConfiguredLabel) {
  EXPECT_EQ(stripped("0801", no_label), "0801");
  EXPECT_EQ(stripped("", no_label), "");
  EXPECT_EQ(stripped(std::string(header) + "0801", blue), "0801");
  EXPECT_EQ(stripped(std::string(header), blue), "");
  EXPECT_EQ(fault("0801", blue), WireFault::mismatch);
  EXPECT_EQ(fault(std::string(header) + "0801", no_label), WireFault::mismatch);
  EXPECT_EQ(fault("f403626c750801", blue), WireFault::mismatch);
  // Only one header is stripped.
  EXPECT_EQ(stripped(std::string(header) + "f4016108", blue), "f4016108");
}

TEST(Label, BrokenHeadersAreRefused) {
  EXPECT_EQ(fault("f4", blue), WireFault::truncated);
  EXPECT_EQ(fault("f400", blue), WireFault::malformed);
  EXPECT_EQ(fault("f4000801", no_label), WireFault::malformed);
  EXPECT_EQ(fault("f409626c", blue), WireFault::truncated);
}

TEST(Label, SkippingWantsNoHeader) {
  EXPECT_EQ(stripped("0801", skipping), "0801");
  EXPECT_EQ(fault(std::string(header) + "0801", skipping), WireFault::mismatch);
}

TEST(Label, StreamsAreInspectedAsTheyCome) {
  const ByteVector stream = test::from_hex(std::string(header) + "06");
  for (std::size_t bytes = 0; bytes <= stream.size(); ++bytes) {
    const auto label = inspect_stream_label(Bytes(stream).first(bytes), blue);
    ASSERT_TRUE(label) << bytes;
    EXPECT_EQ(label->complete, bytes >= 6) << bytes;
    EXPECT_EQ(label->header_bytes, label->complete ? 6u : 0u);
  }
  const auto plain = inspect_stream_label(test::from_hex("06"), no_label);
  ASSERT_TRUE(plain);
  EXPECT_TRUE(plain->complete);
  EXPECT_EQ(plain->header_bytes, 0u);
  EXPECT_FALSE(inspect_stream_label({}, blue)->complete);
}

TEST(Label, StreamFaults) {
  const auto stream_fault = [](std::string_view digits, const LabelPolicy& policy) {
    const auto label = inspect_stream_label(test::from_hex(digits), policy);
    return label ? std::nullopt : std::optional(label.error().fault);
  };
  EXPECT_EQ(stream_fault("06", blue), WireFault::mismatch);
  EXPECT_EQ(stream_fault("f400", blue), WireFault::malformed);
  EXPECT_EQ(stream_fault("f40161", blue), WireFault::mismatch);
  EXPECT_EQ(stream_fault(header, no_label), WireFault::mismatch);
  EXPECT_EQ(stream_fault(header, skipping), WireFault::mismatch);
}

}  // namespace
}  // namespace starling
