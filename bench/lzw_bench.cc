// The compress wrapper around a piece of push/pull state. Names as in peers/codec.
#include <memory>

#include "bench/counters.h"
#include "bench/samples.h"
#include "wire/base/check.h"
#include "wire/lzw.h"

namespace starling::bench {
namespace {

// `bytes` of what follows the type byte of a push/pull.
ByteVector plain_of(std::size_t bytes) {
  const ByteVector stream = push_pull_of(0, static_cast<std::uint32_t>(bytes / 80 + 1));
  return {stream.begin() + 1, stream.begin() + 1 + static_cast<std::ptrdiff_t>(bytes)};
}

// LZW and the message around it, as Go's function does both.
std::size_t compress(LzwEncoder& encoder, Bytes plain, MutableBytes room, MutableBytes message) {
  const std::size_t packed = lzw_encode(encoder, plain, room);
  Writer out(message);
  encode(Compressed{.data = Bytes(room).first(packed)}, out);
  return out.ok() ? out.size() : 0;
}

void lzw_compress(benchmark::State& state, std::size_t bytes) {
  const ByteVector plain = plain_of(bytes);
  const auto encoder = std::make_unique<LzwEncoder>();
  ByteVector room(LzwEncoder::bound(bytes));
  ByteVector message(room.size() + 64);
  const Meter meter(state, 1);
  for (auto _ : state) CHECK(compress(*encoder, plain, room, message) > 0);
}

void lzw_decompress(benchmark::State& state, std::size_t bytes) {
  const ByteVector plain = plain_of(bytes);
  const auto encoder = std::make_unique<LzwEncoder>();
  ByteVector room(LzwEncoder::bound(bytes));
  ByteVector message(room.size() + 64);
  message.resize(compress(*encoder, plain, room, message));
  const auto decoder = std::make_unique<LzwDecoder>();
  ByteVector back(bytes);
  Scratch scratch;
  {
    const Meter meter(state, 1);
    for (auto _ : state) {
      scratch.reset();
      const auto wrapped = decode_compressed(Bytes(message).subspan(1), scratch);
      CHECK(lzw_decode(*decoder, wrapped->data, back) == bytes);
    }
  }
  CHECK(back == plain);
}

void lzw_compress_1400(benchmark::State& state) {
  lzw_compress(state, 1400);
}
void lzw_compress_65536(benchmark::State& state) {
  lzw_compress(state, 65'536);
}
void lzw_decompress_1400(benchmark::State& state) {
  lzw_decompress(state, 1400);
}
void lzw_decompress_65536(benchmark::State& state) {
  lzw_decompress(state, 65'536);
}

BENCHMARK(lzw_compress_1400);
BENCHMARK(lzw_decompress_1400);
BENCHMARK(lzw_compress_65536);
BENCHMARK(lzw_decompress_65536);

}  // namespace
}  // namespace starling::bench
