// Single messages and compounds, decoded and encoded. Names as in peers/codec.
#include "bench/counters.h"
#include "bench/samples.h"
#include "wire/base/check.h"
#include "wire/compound.h"

namespace starling::bench {
namespace {

constexpr std::uint32_t parts = 20;

const Sample sender(1);
const Sample receiver(42);

Ping a_ping() {
  return {.sequence = SequenceNumber{123456},
          .node = receiver.name(),
          .source = {.address = sender.alive(1).address, .port = 7946, .node = sender.name()}};
}
Ack an_ack() {
  return {.sequence = SequenceNumber{123456}, .payload = {}};
}

template <class Message>
void encode_message(benchmark::State& state, const Message& message) {
  std::array<std::byte, 1024> room;
  const Meter meter(state, 1);
  for (auto _ : state) {
    Writer out(room);
    encode(message, out);
    benchmark::DoNotOptimize(out.ok());
    benchmark::ClobberMemory();
  }
}

template <class Decode>
void decode_message(benchmark::State& state, const ByteVector& message, Decode decode) {
  const Bytes body = Bytes(message).subspan(1);
  Scratch scratch;
  CHECK(decode(body, scratch).has_value());
  const Meter meter(state, 1);
  for (auto _ : state) {
    scratch.reset();
    auto decoded = decode(body, scratch);
    benchmark::DoNotOptimize(decoded);
  }
}

void ping_encode(benchmark::State& state) {
  encode_message(state, a_ping());
}
void ack_encode(benchmark::State& state) {
  encode_message(state, an_ack());
}
void alive_encode(benchmark::State& state) {
  encode_message(state, receiver.alive(7));
}
void ping_decode(benchmark::State& state) {
  decode_message(state, encoded(a_ping()), decode_ping);
}
void ack_decode(benchmark::State& state) {
  decode_message(state, encoded(an_ack()), decode_ack);
}
void alive_decode(benchmark::State& state) {
  decode_message(state, encoded(receiver.alive(7)), decode_alive);
}

std::vector<std::uint32_t> first_members() {
  std::vector<std::uint32_t> numbers(parts);
  for (std::uint32_t i = 0; i < parts; ++i) numbers[i] = i;
  return numbers;
}

void compound_20_alives_encode(benchmark::State& state) {
  std::vector<Sample> members;
  for (const std::uint32_t number : first_members()) members.emplace_back(number);
  std::array<std::byte, 4096> room;
  std::array<std::byte, 512> part;
  const Meter meter(state, 1);
  for (auto _ : state) {
    CompoundBuilder builder(room);
    for (const Sample& member : members) {
      Writer out(part);
      encode(member.alive(1), out);
      builder.add(out.written());
    }
    Bytes packet = builder.finish();
    benchmark::DoNotOptimize(packet);
    benchmark::ClobberMemory();
  }
}

void compound_20_alives_decode(benchmark::State& state) {
  const ByteVector packet = compound_of_alives(first_members(), 1);
  const Bytes body = Bytes(packet).subspan(1);
  Scratch scratch;
  const Meter meter(state, 1);
  for (auto _ : state) {
    auto reader = CompoundReader::open(body);
    std::uint32_t decoded = 0;
    Bytes part;
    while (reader->next(part)) {
      scratch.reset();
      auto alive = decode_alive(part.subspan(1), scratch);
      benchmark::DoNotOptimize(alive);
      decoded += alive.has_value();
    }
    CHECK(decoded == parts);
  }
}

BENCHMARK(ping_encode);
BENCHMARK(ping_decode);
BENCHMARK(ack_encode);
BENCHMARK(ack_decode);
BENCHMARK(alive_encode);
BENCHMARK(alive_decode);
BENCHMARK(compound_20_alives_encode);
BENCHMARK(compound_20_alives_decode);

}  // namespace
}  // namespace starling::bench
