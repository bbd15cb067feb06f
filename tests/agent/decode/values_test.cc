#include "agent/decode/values.h"

#include <gtest/gtest.h>

namespace starling::agent::decode {
namespace {

TEST(DecodeValues, HexBothWays) {
  const auto bytes = parse_hex("0a:FF\n 10");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(to_hex(*bytes), "0aff10");
  EXPECT_FALSE(parse_hex("0a0"));
  EXPECT_FALSE(parse_hex("0g"));
}

TEST(DecodeValues, TextThatIsNotReadableBecomesHex) {
  EXPECT_EQ(text_value("caf\xc3\xa9"), Json("caf\xc3\xa9"));
  EXPECT_EQ(text_value("a\xff").dump(), R"({"hex":"61ff"})");
  EXPECT_EQ(text_value(std::string_view("\0", 1)).dump(), R"({"hex":"00"})");
}

TEST(DecodeValues, AddressesKeepTheirUnusualForm) {
  const auto address = [](std::string_view hex) { return address_value(*parse_hex(hex)).dump(); };
  EXPECT_EQ(address("0a000001"), R"("10.0.0.1")");
  EXPECT_EQ(address("00000000000000000000000000000001"), R"("::1")");
  EXPECT_EQ(address("00000000000000000000ffff0a000001"),
            R"({"text":"10.0.0.1","hex":"00000000000000000000ffff0a000001"})");
  EXPECT_EQ(address("0a00"), R"({"hex":"0a00"})");
  EXPECT_EQ(address(""), R"("")");
}

TEST(DecodeValues, Payloads) {
  EXPECT_EQ(payload_value(as_bytes("hi")).dump(), R"({"bytes":2,"text":"hi"})");
  EXPECT_EQ(payload_value(as_bytes("\x01\x02")).dump(), R"({"bytes":2,"hex":"0102"})");
  EXPECT_EQ(payload_value({}).dump(), R"({"bytes":0})");
}

}  // namespace
}  // namespace starling::agent::decode
