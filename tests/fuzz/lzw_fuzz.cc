// Any bytes as an LZW stream and as plain text: pieces change nothing, and what is encoded comes
// back. The first byte chooses the sizes of the pieces.
#include <memory>
#include <optional>
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "wire/lzw.h"

namespace starling {
namespace {

constexpr std::size_t output_bytes_max = 65'536;

const std::unique_ptr<LzwDecoder> decoder = std::make_unique<LzwDecoder>();
const std::unique_ptr<LzwEncoder> encoder = std::make_unique<LzwEncoder>();

// The text, or the fault.
struct ExchangeOutcome {
  std::vector<std::byte> text;
  std::optional<WireFault> fault;
  bool operator==(const ExchangeOutcome&) const = default;
};

ExchangeOutcome decode_whole(Bytes input) {
  ExchangeOutcome outcome;
  outcome.text.resize(output_bytes_max);
  const auto size = lzw_decode(*decoder, input, outcome.text);
  if (size) {
    outcome.text.resize(*size);
  } else {
    outcome = {{}, size.error().fault};
  }
  return outcome;
}

ExchangeOutcome decode_in_pieces(Bytes input, std::uint8_t seed) {
  fuzz::ChunkSizes sizes(seed);
  ExchangeOutcome outcome;
  std::vector<std::byte> text;
  decoder->reset();
  for (;;) {
    const std::size_t input_bytes = std::min(sizes.next(), input.size());
    std::vector<std::byte> room(std::min(sizes.next(), output_bytes_max - text.size()));
    const auto step = decoder->decode(input.first(input_bytes), room);
    if (!step) return {{}, step.error().fault};
    CHECK(step->consumed <= input_bytes && step->produced <= room.size());
    text.insert(text.end(), room.begin(), room.begin() + static_cast<long>(step->produced));
    input = input.subspan(step->consumed);
    if (step->done) return {text, std::nullopt};
    if (text.size() == output_bytes_max && decoder->needs_room()) {
      const auto again = decoder->decode({}, {});
      return {{}, again ? WireFault::too_large : again.error().fault};
    }
    if (input.empty() && !decoder->needs_room()) return {{}, WireFault::truncated};
  }
}

std::vector<std::byte> encode_whole(Bytes input) {
  std::vector<std::byte> output(LzwEncoder::bound(input.size()));
  const std::size_t size = lzw_encode(*encoder, input, output);
  CHECK(size > 0);
  output.resize(size);
  return output;
}

std::vector<std::byte> encode_in_pieces(Bytes input, std::uint8_t seed) {
  fuzz::ChunkSizes sizes(seed);
  std::vector<std::byte> output;
  encoder->reset();
  for (;;) {
    const std::size_t input_bytes = std::min(sizes.next(), input.size());
    std::vector<std::byte> room(sizes.next());
    const auto step = encoder->encode(input.first(input_bytes), room, input_bytes == input.size());
    CHECK(step.consumed <= input_bytes && step.produced <= room.size());
    CHECK(step.done || step.consumed + step.produced > 0 || input_bytes == 0);
    output.insert(output.end(), room.begin(), room.begin() + static_cast<long>(step.produced));
    CHECK(output.size() <= output_bytes_max);
    input = input.subspan(step.consumed);
    if (step.done) return output;
  }
}

void check_lzw(Bytes input) {
  const std::uint8_t seed = fuzz::take_byte(input);
  CHECK(decode_in_pieces(input, seed) == decode_whole(input));
  if (input.size() > output_bytes_max / 2) return;
  const std::vector<std::byte> encoded = encode_whole(input);
  CHECK(encode_in_pieces(input, seed) == encoded);
  const ExchangeOutcome back = decode_whole(encoded);
  CHECK(!back.fault);
  CHECK(equal(back.text, input));
}

}  // namespace
}  // namespace starling

FUZZ_TARGET(starling::check_lzw)
