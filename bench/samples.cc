#include "bench/samples.h"

#include <cstdio>
#include <numeric>

#include "core/base/rng.h"
#include "wire/base/check.h"
#include "wire/compound.h"

namespace starling::bench {

namespace {

constexpr std::string_view meta = "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm";
const std::array<std::byte, 6> versions = encode_versions(Versions{});
// One encoded node state, generously.
constexpr std::size_t state_bytes_max = 192;

std::string name_of(std::uint32_t number) {
  std::array<char, 32> text;
  const int length = std::snprintf(text.data(), text.size(), "node-%06u", number);
  return {text.data(), static_cast<std::size_t>(length)};
}

}  // namespace

Sample::Sample(std::uint32_t number)
    : name_(name_of(number)),
      address_{std::byte{10}, static_cast<std::byte>(number >> 16),
               static_cast<std::byte>(number >> 8), static_cast<std::byte>(number)} {}

Alive Sample::alive(std::uint32_t incarnation) const {
  return {.incarnation = Incarnation{incarnation},
          .node = name_,
          .address = address_,
          .port = 7946,
          .meta = as_bytes(meta),
          .versions = versions};
}

NodeState Sample::state() const {
  return {.name = name_,
          .address = address_,
          .port = 7946,
          .meta = as_bytes(meta),
          .incarnation = Incarnation{1},
          .state = 0,
          .versions = versions};
}

ByteVector compound_of_alives(std::span<const std::uint32_t> numbers, std::uint32_t incarnation) {
  std::array<std::byte, 65'536> room;
  CompoundBuilder builder(room);
  for (const std::uint32_t number : numbers) {
    CHECK(builder.add(encoded(Sample(number).alive(incarnation))));
  }
  const Bytes packet = builder.finish();
  return {packet.begin(), packet.end()};
}

ByteVector push_pull_of(std::uint32_t first, std::uint32_t count) {
  ByteVector room(64 + std::size_t{count} * state_bytes_max);
  Writer out(room);
  encode(PushPullHeader{.nodes = count}, out, SignedStyle::signed_form);
  for (std::uint32_t i = 0; i < count; ++i) encode(Sample(first + i).state(), out);
  CHECK(out.ok());
  room.resize(out.size());
  return room;
}

std::vector<std::uint32_t> shuffled(std::uint32_t count) {
  std::vector<std::uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0U);
  Rng(7).shuffle(std::span(numbers));
  return numbers;
}

}  // namespace starling::bench
