#include "wire/lzw.h"

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include <memory>
#include <random>

#include "tests/support/alloc_counter.h"
#include "tests/support/vectors.h"

namespace starling {
namespace {

using nlohmann::json;
using test::ByteVector;

// The machines are too large for a stack frame that a sanitizer pads.
const std::unique_ptr<LzwEncoder> encoder = std::make_unique<LzwEncoder>();
const std::unique_ptr<LzwDecoder> decoder = std::make_unique<LzwDecoder>();

ByteVector encoded(Bytes input) {
  ByteVector output(LzwEncoder::bound(input.size()));
  output.resize(lzw_encode(*encoder, input, output));
  return output;
}

ByteVector decoded(Bytes input, std::size_t room) {
  ByteVector output(room);
  const auto size = lzw_decode(*decoder, input, output);
  EXPECT_TRUE(size.has_value());
  output.resize(size.value_or(0));
  return output;
}

// Both directions with the given chunk sizes for input and output.
ByteVector encoded_in_pieces(Bytes input, std::size_t in_bytes, std::size_t out_bytes) {
  encoder->reset();
  ByteVector output;
  ByteVector room(out_bytes);
  const std::size_t rounds_max = 10 * input.size() + 100;
  for (std::size_t rounds = 0; rounds < rounds_max; ++rounds) {
    const Bytes chunk = input.first(std::min(in_bytes, input.size()));
    const auto step = encoder->encode(chunk, room, chunk.size() == input.size());
    input = input.subspan(step.consumed);
    output.insert(output.end(), room.begin(), room.begin() + static_cast<long>(step.produced));
    if (step.done) return output;
  }
  ADD_FAILURE() << "no end";
  return output;
}

ByteVector decoded_in_pieces(Bytes input, std::size_t in_bytes, std::size_t out_bytes,
                             std::size_t output_max) {
  decoder->reset();
  ByteVector output;
  ByteVector room(out_bytes);
  for (std::size_t rounds = 0; rounds < 10 * output_max + 100; ++rounds) {
    const auto step = decoder->decode(input.first(std::min(in_bytes, input.size())), room);
    if (!step) break;
    input = input.subspan(step->consumed);
    output.insert(output.end(), room.begin(), room.begin() + static_cast<long>(step->produced));
    if (step->done) return output;
  }
  ADD_FAILURE() << "no end";
  return output;
}

ByteVector noise(std::size_t bytes, unsigned mask, std::uint32_t seed) {
  std::mt19937 generator(seed);
  ByteVector made(bytes);
  for (std::byte& byte : made) byte = static_cast<std::byte>(generator() & mask);
  return made;
}

// The inputs of the recorded answers that are too long to be written out; the rule stands in the
// vector file.
ByteVector recorded_stream(std::size_t bytes, unsigned mask) {
  ByteVector made(bytes);
  std::uint32_t x = 1;
  for (std::byte& byte : made) {
    x = x * 1103515245U + 12345U;
    byte = static_cast<std::byte>((x >> 16) & mask);
  }
  return made;
}

std::string sha256(Bytes bytes) {
  std::array<std::byte, 32> digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return test::to_hex(digest);
}

TEST(Lzw, KnownAnswers) {
  for (const json& vector : test::load_vectors("memberlist.json").at("lzw")) {
    if (!vector.contains("input_hex")) continue;
    SCOPED_TRACE(vector.at("id"));
    const ByteVector input = test::from_hex(vector.at("input_hex").get<std::string>());
    const ByteVector output = test::from_hex(vector.at("output_hex").get<std::string>());
    EXPECT_EQ(encoded(input), output);
    EXPECT_EQ(decoded(output, input.size()), input);
  }
}

TEST(Lzw, LongKnownAnswersCrossEveryWidthAndTheClearCode) {
  std::size_t checked = 0;
  for (const json& vector : test::load_vectors("memberlist.json").at("lzw")) {
    if (vector.contains("input_hex")) continue;
    const std::string id = vector.at("id");
    SCOPED_TRACE(id);
    const unsigned mask = id.ends_with("-m3") ? 0x03 : id.ends_with("-m15") ? 0x0f : 0xff;
    const ByteVector input = recorded_stream(vector.at("input_len").get<std::size_t>(), mask);
    ASSERT_EQ(sha256(input), vector.at("input_sha256"));
    const ByteVector output = encoded(input);
    EXPECT_EQ(output.size(), vector.at("output_len").get<std::size_t>());
    EXPECT_EQ(sha256(output), vector.at("output_sha256"));
    EXPECT_EQ(decoded(output, input.size()), input);
    ++checked;
  }
  EXPECT_EQ(checked, 3u);
}

TEST(Lzw, EveryPieceSizeGivesTheSame) {
  const ByteVector inputs[] = {{},
                               noise(1, 0xff, 1),
                               noise(5000, 0xff, 2),
                               noise(5000, 0x01, 3),
                               ByteVector(9000, std::byte{'a'})};
  for (const ByteVector& input : inputs) {
    const ByteVector output = encoded(input);
    for (const std::size_t in_bytes : {1U, 2U, 3U, 7U, 64U, 100'000U}) {
      for (const std::size_t out_bytes : {1U, 2U, 5U, 9U, 17U, 1000U, 100'000U}) {
        SCOPED_TRACE(std::to_string(input.size()) + " in " + std::to_string(in_bytes) + " out " +
                     std::to_string(out_bytes));
        ASSERT_EQ(encoded_in_pieces(input, in_bytes, out_bytes), output);
        ASSERT_EQ(decoded_in_pieces(output, in_bytes, out_bytes, input.size()), input);
      }
    }
  }
}

TEST(Lzw, LongRunsOfOneByteComeBack) {
  // Runs make the longest expansions, each the previous and one byte more.
  for (const std::size_t bytes : {7U, 8U, 9U, 63U, 64U, 65U, 1'000'000U}) {
    const ByteVector input(bytes, std::byte{0});
    EXPECT_EQ(decoded(encoded(input), bytes), input);
  }
}

TEST(Lzw, BytesBehindTheEndAreNotTaken) {
  ByteVector input = encoded(test::to_vector("testing"));
  const std::size_t size = input.size();
  input.resize(size + 5, std::byte{0xff});
  decoder->reset();
  std::array<std::byte, 64> output;
  const auto step = decoder->decode(input, output);
  ASSERT_TRUE(step);
  EXPECT_TRUE(step->done);
  EXPECT_EQ(step->consumed, size);
  EXPECT_EQ(as_text(Bytes(output).first(step->produced)), "testing");
  const auto after = decoder->decode(Bytes(input).subspan(size), output);
  ASSERT_TRUE(after);
  EXPECT_TRUE(after->done);
  EXPECT_EQ(after->consumed + after->produced, 0u);
}

TEST(Lzw, ErrorsNameWhatIsWrong) {
  ByteVector room(100);
  const ByteVector good = encoded(test::to_vector("aaaaaaaaaaaaaaaaaaaa"));
  const auto fault = [&](Bytes input, std::size_t room_bytes) {
    const auto size = lzw_decode(*decoder, input, MutableBytes(room).first(room_bytes));
    EXPECT_FALSE(size.has_value());
    return size.has_value() ? WireFault::no_key : size.error().fault;
  };
  EXPECT_EQ(fault(test::from_hex("ffffff"), 100), WireFault::malformed);
  EXPECT_EQ(fault({}, 100), WireFault::truncated);
  EXPECT_EQ(fault(Bytes(good).first(good.size() - 1), 100), WireFault::truncated);
  EXPECT_EQ(fault(good, 19), WireFault::too_large);
  EXPECT_EQ(fault(good, 0), WireFault::too_large);
  EXPECT_EQ(lzw_decode(*decoder, good, MutableBytes(room).first(20)), 20u);
  // An error is final until reset().
  decoder->reset();
  ASSERT_FALSE(decoder->decode(test::from_hex("ffffff"), room));
  EXPECT_FALSE(decoder->decode(good, room));
  EXPECT_EQ(lzw_encode(*encoder, room, MutableBytes(room).first(3)), 0u);
}

TEST(Lzw, TheBoundHolds) {
  for (const std::size_t bytes : {0U, 1U, 2U, 300U, 3838U, 3839U, 20'000U}) {
    const ByteVector input = noise(bytes, 0xff, 7);
    ByteVector output(LzwEncoder::bound(bytes));
    EXPECT_GT(lzw_encode(*encoder, input, output), 0u);
  }
}

TEST(Lzw, NothingAllocates) {
  const ByteVector input = noise(5000, 0x0f, 5);
  ByteVector output(LzwEncoder::bound(input.size()));
  ByteVector again(input.size());
  const test::AllocationCounter allocations;
  const std::size_t size = lzw_encode(*encoder, input, output);
  const auto back = lzw_decode(*decoder, Bytes(output).first(size), again);
  EXPECT_EQ(allocations.count(), 0u);
  EXPECT_EQ(back, input.size());
  EXPECT_EQ(again, input);
}

}  // namespace
}  // namespace starling
