#include "core/stream/compress_reader.h"

#include <gtest/gtest.h>

#include "tests/core/stream/stream_sink.h"

namespace starling {
namespace {

using test::ByteVector;
using test::CollectingSink;
using test::from_hex;
using test::to_hex;

constexpr std::size_t inflated_bytes_max = 10'000;

class CompressReaderTest : public testing::Test {
 protected:
  // Feeds in pieces of `size`; the fault's text, or how far it came.
  std::string read(const ByteVector& body, std::size_t size) {
    message.reset();
    reader.reset();
    sink = CollectingSink();
    Bytes rest = body;
    while (!rest.empty()) {
      const ByteVector piece = test::to_vector(rest.first(std::min(size, rest.size())));
      rest = rest.subspan(piece.size());
      const auto progress = reader.feed(piece, message, sink);
      if (!progress) return std::string(to_text(progress.error().fault));
      if (*progress == StreamProgress::done) return "done";
      if (*progress == StreamProgress::refused) return "refused";
    }
    return "more";
  }
  std::string read(const ByteVector& body) {
    const std::string whole = read(body, SIZE_MAX);
    const ByteVector collected = sink.collected();
    for (const std::size_t size : {1u, 2u, 3u, 7u, 64u}) {
      EXPECT_EQ(read(body, size), whole) << size;
      EXPECT_EQ(to_hex(sink.collected()), to_hex(collected)) << size;
    }
    return whole;
  }

  ByteVector carry = ByteVector(512);
  ByteVector window = ByteVector(16);
  MessageReader message{{.push_pull = {}, .user_message_bytes_max = 1'000'000}, carry};
  CompressReader reader{inflated_bytes_max, carry, window};
  CollectingSink sink;
};

// A user message with `size` bytes of payload, as it stands on a stream.
ByteVector user(std::size_t size) {
  ByteVector room(size + 32);
  Writer out(room);
  encode(UserHeader{static_cast<std::int64_t>(size)}, out, SignedStyle::signed_form);
  for (std::size_t i = 0; i < size; ++i) out.u8(static_cast<std::uint8_t>(i * i));
  return test::to_vector(out.written());
}

std::string hex_of_data(const ByteVector& inner) {
  const ByteVector wrapper = test::deflate(inner);
  Scratch scratch;
  const auto decoded = decode_compressed(Bytes(wrapper).subspan(1), scratch);
  return to_hex(decoded->data);
}

// db and four bytes of length: valid for any size.
std::string raw(const std::string& hex) {
  std::array<std::byte, 5> header;
  Writer out(header);
  out.u8(0xdb);
  out.u32(static_cast<std::uint32_t>(hex.size() / 2));
  return to_hex(header) + hex;
}

const std::string algo = "a4416c676f";
const std::string buf = "a3427566";

TEST_F(CompressReaderTest, reads_what_go_writes) {
  for (const std::size_t size : {0u, 1u, 30u, 300u, 9'000u}) {
    const ByteVector inner = user(size);
    const ByteVector wrapper = test::deflate(inner);
    EXPECT_EQ(read(test::to_vector(Bytes(wrapper).subspan(1))), "done") << size;
    EXPECT_EQ(to_hex(sink.collected()), to_hex(inner));
  }
}

TEST_F(CompressReaderTest, finds_the_data_wherever_it_stands) {
  const ByteVector inner = user(100);
  const std::string data = raw(hex_of_data(inner));
  for (const std::string& body : {
           "82" + algo + "00" + buf + data,
           "82" + buf + data + algo + "00",
           "81" + buf + data,
           "84a178c0" + buf + data + "a179810203" + algo + "cc00",
           "de0002" + algo + "c0" + buf + data,
           "df00000001" + buf + data,
           "9200" + data,
           "9400" + data + "c0c3",
           "dc000200" + data,
       }) {
    EXPECT_EQ(read(from_hex(body)), "done") << body;
    EXPECT_EQ(to_hex(sink.collected()), to_hex(inner)) << body;
  }
  const std::string short_data = hex_of_data(user(5));
  const std::string c4 = "c4" + to_hex(ByteVector{std::byte(short_data.size() / 2)}) + short_data;
  EXPECT_EQ(read(from_hex("81" + buf + c4)), "done");
}

TEST_F(CompressReaderTest, every_cut_waits_and_every_flaw_is_an_error) {
  const ByteVector wrapper = test::deflate(user(200));
  const ByteVector body = test::to_vector(Bytes(wrapper).subspan(1));
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_EQ(read(test::to_vector(Bytes(body).first(size)), 5), "more") << size;
  }
  const std::string data = raw(hex_of_data(user(50)));
  const std::string one = raw("000302");
  EXPECT_EQ(read(from_hex("82" + algo + "01" + buf + data)), "unsupported");
  EXPECT_EQ(read(from_hex("82" + buf + data + algo + "01")), "unsupported");
  EXPECT_EQ(read(from_hex("82" + algo + "a0" + buf + data)), "wrong type");
  EXPECT_EQ(read(from_hex("80")), "malformed") << "no Buf";
  EXPECT_EQ(read(from_hex("c0")), "malformed");
  EXPECT_EQ(read(from_hex("81" + algo + "00")), "malformed");
  EXPECT_EQ(read(from_hex("81" + buf + "c0")), "truncated") << "nil Buf";
  EXPECT_EQ(read(from_hex("81" + buf + "a0")), "truncated") << "empty Buf";
  EXPECT_EQ(read(from_hex("81" + buf + one)), "malformed") << "inflates to nothing";
  EXPECT_EQ(read(from_hex("81" + buf + "05")), "wrong type");
  EXPECT_EQ(read(from_hex("81" + buf + "93010203")), "wrong type");
  EXPECT_EQ(read(from_hex("81" + buf + "c1")), "malformed");
  EXPECT_EQ(read(from_hex("82" + buf + data + buf + data)), "malformed") << "twice";
  EXPECT_EQ(read(from_hex("a3616263")), "wrong type");
  EXPECT_EQ(read(from_hex("ff")), "wrong type");
  EXPECT_EQ(read(from_hex("8105")), "wrong type");
  EXPECT_EQ(read(from_hex("81" + buf + "a3ffffff")), "malformed") << "a bad code";
  EXPECT_FALSE(reader.failed_in_message());
}

TEST_F(CompressReaderTest, the_end_must_be_there_although_the_message_was_complete) {
  std::string data = hex_of_data(user(50));
  data.resize(data.size() - 4);  // the end code and what it shares a byte with
  EXPECT_EQ(read(from_hex("81" + buf + raw(data))), "truncated");
  EXPECT_FALSE(reader.failed_in_message());
}

TEST_F(CompressReaderTest, a_message_that_is_cut_is_the_messages_fault) {
  ByteVector cut = user(50);
  cut.pop_back();
  EXPECT_EQ(read(from_hex("81" + buf + raw(hex_of_data(cut)))), "truncated");
  EXPECT_TRUE(reader.failed_in_message());
  EXPECT_EQ(read(from_hex("81" + buf + raw(hex_of_data(from_hex("0980"))))), "unsupported")
      << "one level only";
  EXPECT_TRUE(reader.failed_in_message());
}

TEST_F(CompressReaderTest, bombs_stop_at_the_cap) {
  const std::size_t overhead = user(9'000).size() - 9'000;
  const auto body_of = [](std::size_t payload) {
    const ByteVector wrapper = test::deflate(user(payload));
    return test::to_vector(Bytes(wrapper).subspan(1));
  };
  EXPECT_EQ(read(body_of(inflated_bytes_max - overhead)), "done") << "exactly the cap";
  EXPECT_EQ(read(body_of(inflated_bytes_max - overhead + 1)), "too large");
  EXPECT_FALSE(reader.failed_in_message());
  // Also when the surplus stands behind a complete message.
  ByteVector padded = user(5);
  padded.resize(1'000'000);
  EXPECT_EQ(read(from_hex("81" + buf + raw(hex_of_data(padded)))), "too large");
  padded.resize(5'000);
  EXPECT_EQ(read(from_hex("81" + buf + raw(hex_of_data(padded)))), "done");
}

TEST_F(CompressReaderTest, hostile_nesting_and_counts_cost_nothing) {
  ByteVector deep = from_hex("82a178");
  deep.insert(deep.end(), 100'000, std::byte{0x91});
  EXPECT_EQ(read(deep, SIZE_MAX), "too deeply nested");
  EXPECT_EQ(read(from_hex("dfffffffffa178c0")), "more");
}

TEST_F(CompressReaderTest, a_refusal_is_final) {
  const ByteVector wrapper = test::deflate(user(500));
  sink.refuse_at(2);
  EXPECT_EQ(reader.feed(Bytes(wrapper).subspan(1), message, sink), StreamProgress::refused);
  EXPECT_EQ(reader.feed(wrapper, message, sink), StreamProgress::refused);
  EXPECT_EQ(sink.calls(), 3u);
}

}  // namespace
}  // namespace starling
