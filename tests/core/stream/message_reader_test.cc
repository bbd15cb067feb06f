#include "core/stream/message_reader.h"

#include <gtest/gtest.h>

#include "tests/core/stream/stream_sink.h"

namespace starling {
namespace {

using test::ByteVector;
using test::CollectingSink;
using test::from_hex;
using test::to_hex;

class MessageReaderTest : public testing::Test {
 protected:
  // Feeds byte by byte; the fault's text, or how far it came.
  std::string read(const ByteVector& message) {
    reader.reset();
    for (const std::byte& byte : message) {
      const auto progress = reader.feed(Bytes(&byte, 1), sink);
      if (!progress) return std::string(to_text(progress.error().fault));
      if (*progress == StreamProgress::done) return "done";
      if (*progress == StreamProgress::refused) return "refused";
    }
    return "more";
  }
  std::string read(const char* hex) { return read(from_hex(hex)); }

  ByteVector carry = ByteVector(256);
  MessageReader reader{{.push_pull = {}, .user_message_bytes_max = 1000}, carry};
  CollectingSink sink;
};

TEST_F(MessageReaderTest, only_five_types_start_a_stream) {
  for (unsigned type = 0; type < 256; ++type) {
    const bool good = type == 0 || type == 2 || type == 6 || type == 8 || type == 13;
    const ByteVector message{static_cast<std::byte>(type)};
    EXPECT_EQ(read(message), good ? "more" : "unsupported") << type;
    EXPECT_TRUE(reader.started());
  }
  reader.reset();
  EXPECT_FALSE(reader.started());
}

TEST_F(MessageReaderTest, user_messages_are_bounded) {
  EXPECT_EQ(read("0881aa557365724d73674c656e00"), "done");
  EXPECT_EQ(read("0881aa557365724d73674c656e0161"), "done");
  EXPECT_EQ(read("0881aa557365724d73674c656e02"), "more");
  EXPECT_EQ(read("0881aa557365724d73674c656eff"), "out of range");
  EXPECT_EQ(read("0881aa557365724d73674c656ecd03e9"), "out of range");
  EXPECT_EQ(read("0881aa557365724d73674c656ecd03e8"), "more");
  EXPECT_EQ(read("0881aa557365724d73674c656ecfffffffffffffffff"), "out of range");
}

TEST_F(MessageReaderTest, push_pull_counts_are_bounded) {
  EXPECT_EQ(read("0683a44a6f696ec3a54e6f646573ffac5573657253746174654c656e00"), "out of range");
  EXPECT_EQ(read("0683a44a6f696ec3a54e6f646573ce00100001ac5573657253746174654c656e00"),
            "out of range");
  EXPECT_EQ(read("0683a44a6f696ec3a54e6f64657300ac5573657253746174654c656ece01400001"),
            "out of range");
  EXPECT_EQ(read("0683a44a6f696ec3a54e6f64657300ac5573657253746174654c656e00"), "done");
}

TEST_F(MessageReaderTest, an_item_larger_than_the_carry_is_refused_in_any_pieces) {
  ByteVector ping = from_hex("0081a44e6f6465da0200");
  ping.resize(ping.size() + 512, std::byte{'n'});
  EXPECT_EQ(read(ping), "too large");
  reader.reset();
  EXPECT_EQ(reader.feed(ping, sink).error().fault, WireFault::too_large);
}

TEST_F(MessageReaderTest, errors_and_ends_are_final) {
  EXPECT_EQ(read("07"), "unsupported");
  EXPECT_FALSE(reader.feed(from_hex("0080"), sink));
  EXPECT_EQ(read("0080"), "done");
  const std::size_t calls = sink.calls();
  EXPECT_EQ(reader.feed(from_hex("0080"), sink), StreamProgress::done);
  EXPECT_EQ(sink.calls(), calls) << "surplus is ignored";
}

TEST_F(MessageReaderTest, small_messages_arrive_whole) {
  EXPECT_EQ(read("0282a75061796c6f6164a161a55365714e6f05"), "done");
  EXPECT_EQ(to_hex(sink.collected()), "0282a75061796c6f6164a161a55365714e6f05");
  EXPECT_EQ(read("0d81a54572726f72a26e6f"), "done");
  EXPECT_EQ(read("0d81a54572726f7205"), "wrong type");
}

}  // namespace
}  // namespace starling
