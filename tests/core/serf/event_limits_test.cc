#include "core/serf/event_limits.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/vectors.h"

namespace starling {
namespace {

std::string text_of(UserEventSizeError error, std::size_t limit) {
  const LimitText text = to_text(error, limit);
  return std::string(text.before) + std::to_string(text.limit) + std::string(text.after);
}

TEST(UserEventSize, IsThatOfTheRecordedMessages) {
  std::size_t checked = 0;
  for (const auto& body : test::load_vectors("serf.json")["message_bodies"]) {
    const std::string hex = body["hex"];
    if (!hex.starts_with("03")) continue;
    const auto& message = body["decoded"];
    const std::string payload_hex = message.value("Payload_hex", "");
    EXPECT_EQ(encoded_bytes({.name_bytes = message["Name"].get<std::string>().size(),
                             .payload_bytes = payload_hex.size() / 2,
                             .time = LamportTime{message["LTime"].get<std::uint64_t>()}}),
              hex.size() / 2)
        << body["name"];
    ++checked;
  }
  EXPECT_EQ(checked, 4u);
}

TEST(UserEventSize, GrowsWithHeadersAndTime) {
  EXPECT_EQ(encoded_bytes({.name_bytes = 1, .payload_bytes = 1}), 30u);
  EXPECT_EQ(encoded_bytes({.name_bytes = 1, .payload_bytes = 31}), 28u + 32u);
  EXPECT_EQ(encoded_bytes({.name_bytes = 1, .payload_bytes = 32}), 30u + 33u);
  EXPECT_EQ(encoded_bytes({.name_bytes = 32, .payload_bytes = 32}), 32u + 64u);
  EXPECT_EQ(encoded_bytes({.name_bytes = 0, .payload_bytes = 65536}), 28u + 4u + 65536u);
  EXPECT_EQ(encoded_bytes({.time = LamportTime{127}}), 28u);
  EXPECT_EQ(encoded_bytes({.time = LamportTime{128}}), 29u);
  EXPECT_EQ(encoded_bytes({.time = LamportTime{256}}), 30u);
  EXPECT_EQ(encoded_bytes({.time = LamportTime{65536}}), 32u);
  EXPECT_EQ(encoded_bytes({.time = LamportTime{UINT64_MAX}}), 36u);
}

TEST(UserEventSize, TheDefaultLimitLeaves481BytesToAOneByteName) {
  EXPECT_EQ(check_size({.name_bytes = 1, .payload_bytes = 481, .time = LamportTime{1}}, 512),
            std::nullopt);
  EXPECT_EQ(check_size({.name_bytes = 1, .payload_bytes = 482, .time = LamportTime{1}}, 512),
            UserEventSizeError::configured_after_encoding);
}

TEST(UserEventSize, LimitsAreCheckedInSerfsOrder) {
  EXPECT_EQ(check_size({.name_bytes = 2, .payload_bytes = 511}, 512),
            UserEventSizeError::configured_before_encoding);
  EXPECT_EQ(check_size({.name_bytes = 1, .payload_bytes = 9216}, 9216),
            UserEventSizeError::configured_before_encoding);
  EXPECT_EQ(check_size({.name_bytes = 1, .payload_bytes = 9216}, 20000),
            UserEventSizeError::sane_before_encoding);
  EXPECT_EQ(check_size({.name_bytes = 1, .payload_bytes = 9200}, 9216),
            UserEventSizeError::configured_after_encoding);
  EXPECT_EQ(check_size({.name_bytes = 1, .payload_bytes = 9200}, 20000),
            UserEventSizeError::sane_after_encoding);
}

TEST(UserEventSize, TextsAreSerfs) {
  EXPECT_EQ(text_of(UserEventSizeError::configured_before_encoding, 512),
            "user event exceeds configured limit of 512 bytes before encoding");
  EXPECT_EQ(text_of(UserEventSizeError::sane_before_encoding, 512),
            "user event exceeds sane limit of 9216 bytes before encoding");
  EXPECT_EQ(text_of(UserEventSizeError::configured_after_encoding, 700),
            "encoded user event exceeds configured limit of 700 bytes after encoding");
  EXPECT_EQ(text_of(UserEventSizeError::sane_after_encoding, 512),
            "encoded user event exceeds sane limit of 9216 bytes before encoding");
}

}  // namespace
}  // namespace starling
